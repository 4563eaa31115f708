import type { InjectionToken, Provider } from '@nestjs/common';
import { maskSecrets } from './mask.js';

/**
 * The provider of a module's options, without secrets that could be seen. The container keeps the options for as long as the application
 * lives: an inspection of it must not show them.
 *
 * @param token of the options; other providers are left as they are
 */
export function hideOptions(token: InjectionToken): (provider: Provider) => Provider {
  return (provider) => {
    if (typeof provider === 'function' || provider.provide !== token) return provider;
    if ('useValue' in provider) return { ...provider, useValue: hidden(provider.useValue) };
    if (!('useFactory' in provider)) return provider;
    const { useFactory } = provider;
    return {
      ...provider,
      useFactory: async (...dependencies: unknown[]) => hidden(await useFactory(...dependencies)),
    };
  };
}

/** What is no object is left for the check of the options to refuse. */
function hidden(options: unknown): unknown {
  return typeof options === 'object' && options !== null && !Array.isArray(options)
    ? maskSecrets({ ...options })
    : options;
}
