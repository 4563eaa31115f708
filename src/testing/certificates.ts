/** A certificate and its private key, both as PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/** A certificate authority and what it signed, for tests of TLS and mutual TLS. Everything is PEM. */
export interface Certificates {
  /** The authority that clients and servers trust. */
  ca: string;
  /** For `localhost`, `127.0.0.1` and `::1`. */
  server: Certificate;
  /** For a client that has to present one. */
  client: Certificate;
}

type Generate = (typeof import('selfsigned'))['generate'];

const digital = { name: 'keyUsage', digitalSignature: true, critical: true } as const;

/**
 * Makes an authority of its own at each call, with a certificate for servers on this machine and one for clients, valid for a
 * year. A second call gives certificates that whoever trusts the first does not accept.
 *
 * @throws Error when the optional peer `selfsigned` is not installed
 *
 * @example
 * ```ts
 * const stranger = await makeCertificates();
 * RedisModule.forRoot({ ...server.options, tls: { ca: stranger.ca } });   // refused: another authority signed the server
 * ```
 */
export async function makeCertificates(): Promise<Certificates> {
  const generate = await loadGenerator();
  const common = { keyType: 'ec', algorithm: 'sha256' } as const;
  const authority = await generate([{ name: 'commonName', value: 'rednest test authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const ca = { cert: authority.cert, key: authority.private };
  const [server, client] = await Promise.all([
    generate([{ name: 'commonName', value: 'localhost' }], {
      ...common,
      ca,
      extensions: [
        digital,
        // Servers are clients of each other: replication, Sentinel, the Cluster bus.
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: 'localhost' },
            { type: 7, ip: '127.0.0.1' },
            { type: 7, ip: '::1' },
          ],
        },
      ],
    }),
    generate([{ name: 'commonName', value: 'rednest test client' }], {
      ...common,
      ca,
      extensions: [digital, { name: 'extKeyUsage', clientAuth: true }],
    }),
  ]);
  return {
    ca: authority.cert,
    server: { cert: server.cert, key: server.private },
    client: { cert: client.cert, key: client.private },
  };
}

async function loadGenerator(): Promise<Generate> {
  try {
    const { generate } = await import('selfsigned');
    return generate;
  } catch (cause) {
    throw new Error(
      "TLS in rednest/testing needs the package 'selfsigned': npm install --save-dev selfsigned",
      {
        cause,
      },
    );
  }
}
