import { BadRequestException, ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { InjectRedisConnection, type RedisConnection } from 'rednest';
import type { Account, Transferred, TransferQuery } from './accounts.dto.js';
import { accountKey } from './accounts.keys.js';
import { transferScript, type Transfer, type TransferOutcome } from './transfer.script.js';

/**
 * How often a transfer over WATCH is tried. At most as many compete as the pool has dedicated connections, 10, and each round one of
 * them gets through: the chance to be left out 250 times is 0.9^250, about 1 in 10^11.
 */
const TRANSFER_ATTEMPTS = 250;

/** Accounts, and transfers between them in the two ways that Redis has to change several keys together. */
@Injectable()
export class AccountsService {
  readonly #connection: RedisConnection;

  constructor(@InjectRedisConnection() connection: RedisConnection) {
    this.#connection = connection;
  }

  async save(account: Account): Promise<Account> {
    await this.#connection.client.set(accountKey(account.id), account.balance);
    return account;
  }

  /** @throws NotFoundException */
  async findOne(id: string): Promise<Account> {
    const balance = await this.#connection.client.get(accountKey(id));
    if (balance === null) throw unknownAccount(id);
    return { id, balance: Number(balance) };
  }

  /**
   * Moves money; either both balances change or none.
   *
   * @throws BadRequestException from an account to itself
   * @throws NotFoundException an account does not exist
   * @throws ConflictException the balance is too small
   * @throws RedisConflictError `via: 'watch'` only: others kept changing the accounts
   */
  async transfer(transfer: Transfer, via: TransferQuery['via']): Promise<Transferred> {
    const { from, to } = transfer;
    if (from === to) throw new BadRequestException(['from and to are the same account']);
    const outcome = await (via === 'watch'
      ? this.#transferWatched(transfer)
      : this.#transferScripted(transfer));
    switch (outcome.kind) {
      case 'done':
        return { from: { id: from, balance: outcome.from }, to: { id: to, balance: outcome.to } };
      case 'unknown':
        throw unknownAccount(transfer[outcome.account]);
      case 'insufficient':
        throw new ConflictException(`The balance of account ${from} is too small`);
    }
  }

  /** Read, decide here, and write if nobody has changed either account since; else all of it again. */
  #transferWatched({ from, to, amount }: Transfer): Promise<TransferOutcome> {
    const keys = [accountKey(from), accountKey(to)] as const;
    return this.#connection.optimistic<TransferOutcome>(
      [...keys],
      async (client, multi) => {
        const [fromBalance, toBalance] = await client.mget(...keys);
        if (fromBalance == null) return { kind: 'unknown', account: 'from' };
        if (toBalance == null) return { kind: 'unknown', account: 'to' };
        if (Number(fromBalance) < amount) return { kind: 'insufficient' };
        multi.decrby(keys[0], amount).incrby(keys[1], amount);
        return { kind: 'done', from: Number(fromBalance) - amount, to: Number(toBalance) + amount };
      },
      { attempts: TRANSFER_ATTEMPTS },
    );
  }

  /** Decide and write on the server: one trip, and no attempt is lost, however many compete. */
  #transferScripted(transfer: Transfer): Promise<TransferOutcome> {
    return transferScript.run(this.#connection.client, transfer);
  }
}

function unknownAccount(id: string): NotFoundException {
  return new NotFoundException(`There is no account ${id}`);
}
