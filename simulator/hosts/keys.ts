import ssh2 from 'ssh2'

export interface KeyPair {
  /** OpenSSH's private format. */
  readonly private: string
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly public: string
}

/** A new ed25519 key pair, good for one rehearsal. */
export function createKeyPair(): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519')
    // ssh2 1.17 writes a key now and then that it cannot read itself: take the next one
    if (ssh2.utils.parseKey(pair.private) instanceof Error) continue
    return { private: pair.private, public: pair.public.split(' ').slice(0, 2).join(' ').trim() }
  }
}
