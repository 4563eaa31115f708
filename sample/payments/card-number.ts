/** A card number as it is compared: people write it with spaces or dashes, or without. */
export function digitsOf(cardNumber: string): string {
  return cardNumber.replace(/\D/g, '');
}

/** A card number as it may be seen: in answers, and in the log. How long it is cannot be seen either. */
export function maskedNumber(cardNumber: string): string {
  return `**** **** **** ${digitsOf(cardNumber).slice(-4)}`;
}
