import { defineScript } from 'rednest';
import { accountKey } from './accounts.keys.js';

/** Money to move, in cents. */
export interface Transfer {
  from: string;
  to: string;
  amount: number;
}

/** What became of a transfer: the new balances, or why nothing was moved. */
export type TransferOutcome =
  | { readonly kind: 'done'; readonly from: number; readonly to: number }
  | { readonly kind: 'unknown'; readonly account: 'from' | 'to' }
  | { readonly kind: 'insufficient' };

type TransferReply =
  ['done', from: number, to: number] | ['unknown', account: 'from' | 'to'] | ['insufficient'];

export const transferScript = defineScript({
  lua: new URL('./transfer.lua', import.meta.url),
  keys: ({ from, to }: Transfer) => [accountKey(from), accountKey(to)],
  args: ({ amount }: Transfer) => [amount],
  reply: (raw: unknown): TransferOutcome => {
    const reply = raw as TransferReply;
    switch (reply[0]) {
      case 'done':
        return { kind: 'done', from: reply[1], to: reply[2] };
      case 'unknown':
        return { kind: 'unknown', account: reply[1] };
      case 'insufficient':
        return { kind: 'insufficient' };
    }
  },
});
