import {
  getMetadataStorage,
  ValidationTypes,
  type ValidationArguments,
  type ValidatorConstraintInterface,
  type ValidatorOptions,
} from 'class-validator';

/** Whether an event is certainly valid. */
export type QuickCheck = (event: object) => boolean;

type Storage = ReturnType<typeof getMetadataStorage>;
type Rule = ReturnType<Storage['getTargetValidationMetadatas']>[number];
type Constraint = ReturnType<Storage['getTargetValidatorConstraints']>[number];
type Check = (event: object, value: unknown) => boolean;

const NOT_QUICK: ReadonlySet<string> = new Set([
  ValidationTypes.NESTED_VALIDATION,
  ValidationTypes.PROMISE_VALIDATION,
]);

/**
 * Asks the validators of a class directly: `validateSync` looks through the rules of all classes, and prepares an error for each property, at
 * each call. Most events are valid; what is not, or is more than a list of rules, is left to it.
 */
export function quickCheck(classRef: object, options: ValidatorOptions): QuickCheck {
  const rules = rulesOf(classRef, options);
  const isMore = rules.some(({ type }) => NOT_QUICK.has(type));
  const needsRules = options.forbidUnknownValues && rules.length === 0;
  if (isMore || needsRules || options.whitelist) return () => false;
  const byProperty = new Map<string, Rule[]>();
  for (const rule of rules) {
    const others = byProperty.get(rule.propertyName);
    if (others) others.push(rule);
    else byProperty.set(rule.propertyName, [rule]);
  }
  const checks = [...byProperty].map(([property, its]) => propertyCheck(classRef, property, its));
  return (event) => event.constructor === classRef && checks.every((check) => check(event));
}

/** What class-validator knows of a class and those that it extends. */
export function rulesOf(classRef: object, options: ValidatorOptions): Rule[] {
  const { always = false, strictGroups = false, groups } = options;
  // Its types ask for the name of a schema, too, which a class has none of.
  return getMetadataStorage().getTargetValidationMetadatas(
    classRef as never,
    '',
    always,
    strictGroups,
    groups,
  );
}

/** The validators of a rule. */
export function constraintsOf({ constraintCls }: Rule): Constraint[] {
  return getMetadataStorage().getTargetValidatorConstraints(constraintCls);
}

function propertyCheck(classRef: object, property: string, rules: readonly Rule[]): QuickCheck {
  const conditions = rules
    .filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION)
    .map(({ constraints }) => constraints[0] as Check);
  const checks = rules
    .filter(
      ({ type }) => type !== ValidationTypes.CONDITIONAL_VALIDATION && type !== ValidationTypes.WHITELIST,
    )
    .flatMap((rule) => constraintsOf(rule).map((constraint) => constraintCheck(classRef, rule, constraint)));
  return (event) => {
    const value = (event as Readonly<Record<string, unknown>>)[property];
    const isAsked = conditions.every((condition) => condition(event, value));
    return !isAsked || checks.every((check) => check(event, value));
  };
}

function constraintCheck(classRef: object, rule: Rule, constraint: Constraint): Check {
  const { propertyName: property, constraints, each } = rule;
  const targetName = (classRef as { readonly name: string }).name;
  const validator = validatorOf(constraint);
  // Only what says `true` itself: a promise says nothing yet.
  const isRight = (value: unknown, details: ValidationArguments): boolean =>
    validator().validate(value, details) === true;
  return (object, value) => {
    const details = { targetName, property, object, value, constraints: constraints as unknown[] };
    if (!each) return isRight(value, details);
    return Array.isArray(value) && value.every((item: unknown) => isRight(item, details));
  };
}

/** One of an application's own may come from its container, which is asked each time. That of a decorator function is the same always. */
function validatorOf(constraint: Constraint): () => ValidatorConstraintInterface {
  if (constraint.target.name !== 'CustomConstraint') return () => constraint.instance;
  let validator: ValidatorConstraintInterface | undefined;
  return () => (validator ??= constraint.instance);
}
