const { sep } = require('node:path');

/**
 * What the project's own files import by name is looked for in this folder first, and in the project where it is not
 * here (test tools, dependencies that do not depend on Nest). Packages go on finding theirs as always.
 */
module.exports = (request, options) => {
  const byName = /^[@a-z]/i.test(request);
  const ownFile = !options.basedir.includes(`${sep}node_modules${sep}`);
  if (!byName || !ownFile) return options.defaultResolver(request, options);
  try {
    return options.defaultResolver(request, { ...options, basedir: __dirname });
  } catch {
    return options.defaultResolver(request, options);
  }
};
