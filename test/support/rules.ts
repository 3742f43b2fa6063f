/** Rules about code, as visitors of its syntax tree. Each is tried out on made-up code in source_rules.test.ts. */
import type { Expression, MemberExpression, PrivateIdentifier, VisitorObject } from 'oxc-parser';
import { placeOf, type SourceFile, textOf, visit } from './source.js';

type Report = (node: { readonly start: number; readonly end: number }) => void;
export type Rule = (report: Report, file: SourceFile) => VisitorObject;

/** Places where a rule is broken, as `file:line  text`. */
export function broken(rule: Rule, among: readonly SourceFile[]): string[] {
  return among.flatMap((file) => {
    const found: string[] = [];
    visit(
      file,
      rule((node) => found.push(`${placeOf(file, node)}  ${textOf(file, node).slice(0, 80)}`), file),
    );
    return found;
  });
}

/** `object.member`, each as it is written, for a member that is named and not computed. */
function dotted({ object, property, computed }: MemberExpression): string {
  if (computed || object.type !== 'Identifier' || property.type !== 'Identifier') return '';
  return `${object.name}.${property.name}`;
}

export const noMember =
  (forbidden: RegExp): Rule =>
  (report) => ({
    MemberExpression(node) {
      if (forbidden.test(dotted(node))) report(node);
    },
  });

export const noClock: Rule = (report) => ({
  MemberExpression(node) {
    if (dotted(node) === 'Date.now') report(node);
  },
  NewExpression(node) {
    if (node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0)
      report(node);
  },
  CallExpression(node) {
    if (node.callee.type === 'Identifier' && node.callee.name === 'Date') report(node);
  },
});

export const noRandomness: Rule = (report, file) => ({
  MemberExpression(node) {
    if (/^(Math\.random|crypto\.(getRandomValues|randomUUID))$/.test(dotted(node))) report(node);
  },
  Program(node) {
    const random = /^(randomBytes|randomUUID|randomInt|randomFill|randomFillSync|webcrypto|getRandomValues)$/;
    const taken = file.imports.filter(({ names, specifier }) => {
      return specifier === 'node:crypto' && names.some((name) => name === '*' || random.test(name));
    });
    if (taken.length > 0) report({ start: node.start, end: node.start });
  },
});

/** What asks another server: names of the language, and of modules by how they are imported (Node's with or without `node:`). */
const globalWays = /^(fetch|WebSocket|EventSource|XMLHttpRequest)$/;
const waysOut: readonly (readonly [module: RegExp, names: RegExp])[] = [
  [/^(undici|axios|got|ky|needle|node-fetch|superagent)(\/|$)/, /^/],
  [/^https?$/, /^(\*|request|get|Agent|globalAgent|ClientRequest)$/],
  [/^(http2|dgram|dns|dns\/promises)$/, /^/],
  [/^(net|tls)$/, /^(\*|connect|createConnection|Socket)$/],
  [/^module$/, /^(\*|createRequire)$/],
  [/^jose$/, /^(\*|createRemoteJWKSet)$/],
];

/** What goes out passes the outbound gate (hardening 18, HTTP-20). */
export const noOtherWayOut: Rule = (report, file) => {
  const named = new Set<number>();
  return {
    Program(node) {
      const taken = file.imports.some(({ specifier, names, type_only }) =>
        waysOut.some(
          ([module, ways]) =>
            !type_only &&
            module.test(specifier.replace(/^node:/, '')) &&
            names.some((name) => ways.test(name)),
        ),
      );
      if (taken) report({ start: node.start, end: node.start });
    },
    // A member, a key or a method may have the name: only what stands by itself is the language's.
    MemberExpression(node) {
      if (!node.computed) named.add(node.property.start);
      if (/^(globalThis\.(fetch|WebSocket|EventSource)|process\.getBuiltinModule)$/.test(dotted(node)))
        report(node);
    },
    Property: ({ key, shorthand }) => void (shorthand || named.add(key.start)),
    MethodDefinition: ({ key }) => void named.add(key.start),
    TSMethodSignature: ({ key }) => void named.add(key.start),
    TSPropertySignature: ({ key }) => void named.add(key.start),
    Identifier(node) {
      if (globalWays.test(node.name) && !named.has(node.start)) report(node);
    },
  };
};

/** koa's members that trust the sender, normalise, or throw behind a proxy, also when taken out of ctx by name. */
const koaMembers =
  /^(redirect|cookies|query|ip|ips|host|hostname|origin|secure|protocol|href|URL|subdomains|back|attachment)$/;

export const noKoaShortcuts: Rule = (report) => ({
  MemberExpression(node) {
    const [object = '', member = ''] = dotted(node).split('.');
    const request =
      node.object.type === 'MemberExpression' && /^ctx\.(request|response)$/.test(dotted(node.object));
    const ofRequest = request && node.property.type === 'Identifier' && koaMembers.test(node.property.name);
    if ((object === 'ctx' && koaMembers.test(member)) || ofRequest) report(node);
    if (node.property.type === 'Identifier' && node.property.name === 'allowedMethods') report(node);
    if (dotted(node) === 'app.proxy' || dotted(node) === 'ctx.state') report(node);
  },
  VariableDeclarator(node) {
    if (node.id.type !== 'ObjectPattern' || node.init?.type !== 'Identifier' || node.init.name !== 'ctx')
      return;
    for (const one of node.id.properties) {
      const taken = one.type === 'Property' && one.key.type === 'Identifier' ? one.key.name : '';
      if (koaMembers.test(taken) || taken === 'state') report(node);
    }
  },
});

/** What waits for something else than the database, or for a second connection of it. */
const outsideOfTransactions =
  /^(db|fetch|hashPassword|verifyPassword|checkNewPassword|judge|newSigningKey|signJwt|sign|outbound|hashing|clientKeys)$/;

/** Functions that have a `trx`, or are given to `transaction(…)`: inside them nothing else is awaited (decisions 1). */
export const trxAlone: Rule = (report) => {
  const inside: { start: number; end: number }[] = [];
  const suspects: { start: number; end: number }[] = [];
  const isTrx = (parameter: object) => 'name' in parameter && parameter.name === 'trx';
  const note = (node: { params: readonly object[]; start: number; end: number }) => {
    if (node.params.some(isTrx)) inside.push(node);
  };
  return {
    FunctionDeclaration: note,
    FunctionExpression: note,
    ArrowFunctionExpression: note,
    CallExpression(node) {
      const [callback] = node.arguments;
      const opens =
        node.callee.type === 'MemberExpression' &&
        node.callee.property.type === 'Identifier' &&
        node.callee.property.name === 'transaction';
      if (opens && callback?.type === 'ArrowFunctionExpression') inside.push(callback);
    },
    Identifier(node) {
      if (outsideOfTransactions.test(node.name)) suspects.push(node);
    },
    'Program:exit'() {
      const within = ({ start, end }: { start: number; end: number }) =>
        inside.some((body) => body.start < start && end < body.end);
      for (const suspect of suspects) if (within(suspect)) report(suspect);
    },
  };
};

const secretName = /(^|_)(hash|secret|token|mac|password|csrf|cookie|verifier|signature|assertion)$/i;

/** Secrets are compared by `equal`, which takes the same time wherever they differ (hardening row 32). */
export const noPlainComparison: Rule = (report) => ({
  BinaryExpression(node) {
    if (!/^[!=]==?$/.test(node.operator)) return;
    const nameOf = (side: Expression | PrivateIdentifier) => {
      if (side.type === 'Identifier') return side.name;
      return side.type === 'MemberExpression' && side.property.type === 'Identifier'
        ? side.property.name
        : '';
    };
    const names = [nameOf(node.left), nameOf(node.right)];
    const isConstant = [node.left, node.right].some(
      ({ type }, i) => type === 'Literal' || type === 'TemplateLiteral' || names[i] === 'undefined',
    );
    if (!isConstant && names.some((name) => secretName.test(name))) report(node);
  },
});

export const noEval: Rule = (report) => ({
  CallExpression(node) {
    if (node.callee.type === 'Identifier' && node.callee.name === 'eval') report(node);
  },
  NewExpression(node) {
    if (node.callee.type === 'Identifier' && node.callee.name === 'Function') report(node);
  },
});

/** A regular expression made at run time may be made of what somebody sent (hardening row 3). */
export const noMadeUpPattern: Rule = (report) => ({
  NewExpression(node) {
    if (node.callee.type === 'Identifier' && node.callee.name === 'RegExp') report(node);
  },
});

export const emptyCatch: Rule = (report, { text }) => ({
  CatchClause(node) {
    const inside = text.slice(node.body.start + 1, node.body.end - 1);
    if (node.body.body.length === 0 && !inside.includes('//')) report(node);
  },
});

/** A statement's SQL is written down; values are bound (hardening row 25). */
export const noSqlTemplates: Rule = (report) => ({
  CallExpression(node) {
    const [sql] = node.arguments;
    const { callee } = node;
    const raw =
      callee.type === 'MemberExpression' &&
      callee.property.type === 'Identifier' &&
      /^(raw|whereRaw|orderByRaw|selectRaw|havingRaw)$/.test(callee.property.name);
    const written =
      sql?.type === 'Literal' ||
      sql?.type === 'MemberExpression' || // a constant of the dialect
      (sql?.type === 'TemplateLiteral' && sql.expressions.length === 0);
    if (raw && !written) report(node);
  },
});
