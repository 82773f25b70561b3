using System.Text.Json;

namespace Broker.Gateway.Admin;

/// <summary>The HTTP API described as OpenAPI 3.0 does it, and a page to read and try it.</summary>
internal static class OpenApi
{
    /// <summary>Lists take these as well.</summary>
    private static readonly string[] Paging = ["_page", "_limit"];

    /// <summary>Writes the document.</summary>
    public static void Write(Utf8JsonWriter json, IEnumerable<ApiEndpoint> endpoints, string version)
    {
        json.WriteString("openapi", "3.0.3");
        json.WriteStartObject("info");
        json.WriteString("title", "Broker HTTP API");
        json.WriteString("version", version);
        json.WriteString("description", "Version 4 is EMQ X 4.x's API; version 5 is what that has not. Faults are answered with status 200 and a code other than 0.");
        json.WriteEndObject();
        WriteSecurity(json);
        json.WriteStartObject("paths");
        foreach (var path in endpoints.GroupBy(one => $"/api/v{one.Version}{one.Path}").OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject(path.Key);
            foreach (var one in path) WriteOperation(json, path.Key, one);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteSecurity(Utf8JsonWriter json)
    {
        json.WriteStartObject("components");
        json.WriteStartObject("securitySchemes");
        json.WriteStartObject("basic");
        json.WriteString("type", "http");
        json.WriteString("scheme", "basic");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("security");
        json.WriteStartObject();
        json.WriteStartArray("basic");
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteOperation(Utf8JsonWriter json, string path, ApiEndpoint one)
    {
        json.WriteStartObject(one.Method.ToLowerInvariant());
        json.WriteString("operationId", $"{one.Name}_{one.Method}_{path.Replace('/', '_')}".ToLowerInvariant());
        json.WriteString("summary", one.Description);
        json.WriteStartArray("tags");
        json.WriteStringValue(path.Split('/').ElementAtOrDefault(3) ?? "index");
        json.WriteEndArray();
        if (one.IsOpen)
        {
            json.WriteStartArray("security");
            json.WriteEndArray();
        }

        json.WriteStartArray("parameters");
        foreach (var part in path.Split('/').Where(part => part.StartsWith('{'))) WriteParameter(json, part.Trim('{', '}'), "path");
        foreach (var name in one.IsPaged ? Paging.Concat(one.Filters) : one.Filters) WriteParameter(json, name, "query");
        json.WriteEndArray();
        if (one.Members is { } members)
        {
            json.WriteStartObject("requestBody");
            WriteContent(json, () => WriteBody(json, one.Body, members));
            json.WriteEndObject();
        }

        json.WriteStartObject("responses");
        json.WriteStartObject("200");
        json.WriteString("description", "Done, or a fault with its code");
        WriteContent(json, () => json.WriteString("type", "object"));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter json, BodyKind kind, IReadOnlyCollection<string> members)
    {
        if (kind == BodyKind.OneOrMany)
        {
            json.WriteStartArray("oneOf");
            foreach (var one in new[] { BodyKind.One, BodyKind.Many })
            {
                json.WriteStartObject();
                WriteBody(json, one, members);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            return;
        }

        if (kind == BodyKind.Many)
        {
            json.WriteString("type", "array");
            json.WriteStartObject("items");
            WriteObject(json, members);
            json.WriteEndObject();
            return;
        }

        WriteObject(json, members);
    }

    private static void WriteObject(Utf8JsonWriter json, IReadOnlyCollection<string> members)
    {
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        foreach (var member in members)
        {
            json.WriteStartObject(member.TrimEnd(ApiEndpoint.Needed));
            json.WriteEndObject();
        }

        json.WriteEndObject();
        var needed = members.Where(member => member.EndsWith(ApiEndpoint.Needed)).ToArray();
        if (needed.Length == 0) return;
        json.WriteStartArray("required");
        foreach (var member in needed) json.WriteStringValue(member.TrimEnd(ApiEndpoint.Needed));
        json.WriteEndArray();
    }

    private static void WriteParameter(Utf8JsonWriter json, string name, string place)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("in", place);
        json.WriteBoolean("required", place == "path");
        json.WriteStartObject("schema");
        json.WriteString("type", "string");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteContent(Utf8JsonWriter json, Action writeSchema)
    {
        json.WriteStartObject("content");
        json.WriteStartObject("application/json");
        json.WriteStartObject("schema");
        writeSchema();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Shows the document. It loads nothing from elsewhere.</summary>
    public const string Page = """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Broker HTTP API</title>
        <style>
          body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
          summary { cursor: pointer; padding: .2rem 0; }
          code, textarea, input, pre { font: 13px ui-monospace, monospace; }
          code b { display: inline-block; width: 4.5rem; }
          textarea { width: 100%; height: 5rem; }
          pre { background: #8881; padding: .5rem; overflow: auto; max-height: 24rem; }
          label { display: block; }
        </style>
        <h1>Broker HTTP API</h1>
        <p><a href="openapi.json">openapi.json</a></p>
        <main></main>
        <script>
          const make = (tag, ...children) => { const one = document.createElement(tag); one.append(...children); return one; };
          const show = (path, method, operation) => {
            const fields = operation.parameters.map((parameter) => Object.assign(make("input"), { name: parameter.name, placeholder: parameter.name }));
            const schema = operation.requestBody?.content["application/json"].schema;
            const members = Object.keys((schema?.oneOf?.[0] ?? schema?.items ?? schema)?.properties ?? {}).join(", ");
            const form = schema?.oneOf ? "One JSON object, or an array of them" : schema?.items ? "An array of JSON objects" : "JSON";
            const body = schema ? Object.assign(make("textarea"), { placeholder: members ? `${form}: ${members}` : form }) : null;
            const output = make("pre");
            const run = make("button", "Call");
            run.onclick = async () => {
              const query = new URLSearchParams();
              let target = path;
              operation.parameters.forEach((parameter, at) => {
                if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(fields[at].value));
                else if (fields[at].value) query.set(parameter.name, fields[at].value);
              });
              const answer = await fetch(query.size ? `${target}?${query}` : target, { method: method.toUpperCase(), body: body?.value || undefined });
              const text = await answer.text();
              try { output.textContent = JSON.stringify(JSON.parse(text), null, 2); } catch { output.textContent = `${answer.status} ${text}`; }
            };
            const line = make("code", make("b", method.toUpperCase()), path);
            return make("details", make("summary", line, ` ${operation.summary}`), ...fields.map((field) => make("label", field)), ...(body ? [body] : []), run, output);
          };
          fetch("openapi.json").then((answer) => answer.json()).then((document_) => {
            for (const [path, operations] of Object.entries(document_.paths)) {
              for (const [method, operation] of Object.entries(operations)) document.querySelector("main").append(show(path, method, operation));
            }
          });
        </script>
        </html>
        """;
}
