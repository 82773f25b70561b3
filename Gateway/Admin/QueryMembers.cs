using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin;

/// <summary>Parameters of the query string as members of the body: EMQ X takes them in both places, and the query string wins.</summary>
internal static class QueryMembers
{
    /// <summary>Adds those parameters that the body may hold.</summary>
    /// <returns>Another body; null if there are none, or it is no object.</returns>
    public static JsonDocument? AddTo(JsonDocument? body, ApiEndpoint endpoint, IQueryCollection query)
    {
        if (query.Count == 0 || endpoint.Members is not { Count: > 0 } members || endpoint.Body == BodyKind.Many || body is { RootElement.ValueKind: not JsonValueKind.Object }) return null;
        string[] given = [.. members.Select(member => member.TrimEnd(ApiEndpoint.Needed)).Where(query.ContainsKey)];
        if (given.Length == 0) return null;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var name in given) json.WriteString(name, query[name].ToString());
            if (body is not null)
            {
                foreach (var member in body.RootElement.EnumerateObject().Where(member => !given.Contains(member.Name))) member.WriteTo(json);
            }

            json.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.ToArray());
    }
}
