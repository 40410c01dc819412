import type { Reply } from './api.ts'

const titles: { readonly [status: number]: string } = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
}

export const titleOf = (status: number): string => titles[status] ?? 'Error'

/**
 * The bare error page of the WSGI toolkit under Nova, Neutron, Cinder and Glance, for whatever none of their own
 * code has answered: JSON when the caller wants nothing but JSON, otherwise a small HTML page.
 */
export function barePage(status: number, text: string, accept: string): Reply {
  const title = titleOf(status)
  if (accept.includes('application/json') && !accept.includes('text/html')) {
    return {
      status,
      headers: { 'Content-Type': 'application/json' },
      body: { message: `${text}<br /><br />\n\n\n`, code: `${status} ${title}`, title },
    }
  }
  return {
    status,
    headers: { 'Content-Type': 'text/html; charset=UTF-8' },
    body: `<html>\n <head>\n  <title>${status} ${title}</title>\n </head>\n <body>\n  <h1>${status} ${title}</h1>\n  ${text}<br /><br />\n\n\n\n </body>\n</html>`,
  }
}

/** What the token middleware in front of all services but Keystone answers. */
export function middlewareUnauthorized(keystone: string): Reply {
  return {
    status: 401,
    headers: { 'Content-Type': 'application/json', 'WWW-Authenticate': `Keystone uri="${keystone}/"` },
    body: {
      error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
    },
  }
}
