/** Sent with what is asked about the session, and with nothing else: all other pages stay the same for everybody, and cached for everybody. */
export const SESSION_COOKIE = { name: 'atlas.sid', path: '/session' } as const;
