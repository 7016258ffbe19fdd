// Shows the server's own description of what it answers (openapi.json) to people.

const root = new URL("..", document.baseURI).href;
const byId = (id) => document.getElementById(id);

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function facts(pairs) {
  const list = element("dl", "facts");
  for (const [term, description] of pairs) {
    list.append(element("dt", "", term), element("dd", "", description));
  }
  return list;
}

/** A schema in words: "list of string (at most 64)". */
function inWords(schema, document) {
  const found = resolved(schema, document);
  if (found.anyOf) return found.anyOf.map((each) => inWords(each, document)).join(" or ");
  const bounds = [
    found.maxLength !== undefined && `at most ${found.maxLength.toLocaleString()} characters`,
    found.maxItems !== undefined && `at most ${found.maxItems.toLocaleString()} of them`,
    found.default !== undefined && `default: ${JSON.stringify(found.default)}`,
  ].filter(Boolean);
  const name = found.type === "array" ? `list of [${inWords(found.items, document)}]` : fields(found, document);
  return bounds.length ? `${name} (${bounds.join(", ")})` : name;
}

function fields(schema, document) {
  if (!schema.properties) return schema.type ?? "anything";
  const named = Object.entries(schema.properties);
  return `{${named.map(([name, each]) => `${name}: ${inWords(each, document)}`).join("; ")}}`;
}

function resolved(schema, document) {
  if (!schema.$ref) return schema;
  return schema.$ref.slice(2).split("/").reduce((found, key) => found[key], document);
}

// What FastAPI writes where the server gives no description.
const NOTHING_SAID = "Successful Response";

function operationCard(path, method, operation, document) {
  const card = element("section", "card operation");
  const heading = element("h2");
  heading.append(element("code", "method", method.toUpperCase()), " ", element("code", "", path));
  card.append(heading, element("p", "", operation.description ?? operation.summary));
  const parameters = (operation.parameters ?? []).map(({ name, schema, description, required }) => [
    `?${name}=${required ? "" : " (optional)"}`,
    `${description}; ${inWords(schema, document)}`,
  ]);
  if (operation.requestBody) {
    parameters.push(["body, JSON", inWords(operation.requestBody.content["application/json"].schema, document)]);
  }
  const answers = Object.entries(operation.responses).map(([code, { description, content }]) => {
    const schema = content?.["application/json"]?.schema;
    const said = description === NOTHING_SAID ? [] : [description];
    return [`answer ${code}`, [...said, ...(schema ? [inWords(schema, document)] : [])].join("; ")];
  });
  card.append(facts([...parameters, ...answers]), element("pre", "", exampleOf(path, operation)));
  return card;
}

function exampleOf(path, { parameters, requestBody }) {
  const address = `'${root.slice(0, -1)}${path}'`;
  const text = "Ada Holm was born in Bergen.";
  if (requestBody) {
    const body = JSON.stringify({ texts: [text, "She moved to Canada."] });
    return `curl ${address} -H 'Content-Type: application/json' -d '${body}'`;
  }
  const asked = parameters?.some(({ name }) => name === "text");
  return asked ? `curl -G ${address} --data-urlencode 'text=${text}'` : `curl ${address}`;
}

async function start() {
  try {
    const description = await (await fetch(`${root}openapi.json`)).json();
    byId("title").textContent = `${description.info.title} for programs`;
    byId("about").textContent = description.info.description;
    for (const [path, operations] of Object.entries(description.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        byId("operations").append(operationCard(path, method, operation, description));
      }
    }
  } catch {
    byId("message").hidden = false;
    byId("message").textContent = "The server cannot be reached. Is it still running?";
  }
}

start();
