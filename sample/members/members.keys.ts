import { atlas } from '../atlas.keys.js';

export const memberKey = (name: string): string => atlas.key`member:${name}`;
