/** Whether what a runbook is called by is a path, and not the name of one. */
export const looksLikePath = (called: string): boolean => /[/\\]|\.ya?ml$/.test(called)
