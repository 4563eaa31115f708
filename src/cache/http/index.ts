export { HttpCache } from './http-cache.decorator.js';
export { HttpCacheInterceptor } from './http-cache.interceptor.js';
export { type HttpCacheOptions, type HttpCacheRequest } from './http-cache-options.js';
