import { ApiProperty } from '@nestjs/swagger';

export class ServerMemory {
  @ApiProperty({ example: 48_000_000, description: 'Bytes.' })
  used!: number;

  @ApiProperty({ example: 51_000_000, description: 'The most that it was, in bytes.' })
  peak!: number;

  @ApiProperty({ example: 1_073_741_824, type: Number, nullable: true, description: '`maxmemory` in bytes.' })
  limit!: number | null;

  @ApiProperty({ type: [String], description: 'What is wrong, or will be.' })
  warnings!: readonly string[];
}

export class CostlyCommand {
  @ApiProperty({ example: 'zrange' })
  command!: string;

  @ApiProperty({ example: 12 })
  calls!: number;

  @ApiProperty({ example: 0.4, description: 'Milliseconds in all.' })
  time!: number;
}

/** null stands for what Redis does not tell this user. */
export class ServerOverview {
  @ApiProperty({ type: ServerMemory, nullable: true })
  memory!: ServerMemory | null;

  @ApiProperty({ example: 135_300, type: Number, nullable: true })
  keys!: number | null;

  @ApiProperty({ type: [CostlyCommand], nullable: true, description: 'The five that cost most time so far.' })
  commands!: CostlyCommand[] | null;
}
