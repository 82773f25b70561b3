using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Broker.Grains.Interfaces.Nodes;

/// <summary>Makes a process's answers.</summary>
public static class NodePages
{
    /// <summary>The part of a long list that is asked for; what is left out is not made into JSON.</summary>
    public static NodePage Select<TItem, TRow>(string node, NodeQuery query, IEnumerable<TItem> found, Func<TItem, TRow> describe, JsonTypeInfo<TRow> type)
    {
        var rows = new List<byte[]>();
        var (count, hasMore) = (0L, false);
        foreach (var item in found)
        {
            if (rows.Count == query.Limit && count >= query.Skip && query.Limit > 0)
            {
                hasMore = true;
                break;
            }

            if (count++ >= query.Skip && rows.Count < query.Limit) rows.Add(JsonSerializer.SerializeToUtf8Bytes(describe(item), type));
        }

        return new NodePage(node, [.. rows], count, hasMore);
    }

    /// <summary>One JSON object, written member by member.</summary>
    public static NodePage Write(string node, Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return new NodePage(node, [buffer.ToArray()], 1, HasMore: false);
    }

    /// <summary>One thing.</summary>
    public static NodePage One<T>(string node, T value, JsonTypeInfo<T> type) => new(node, [JsonSerializer.SerializeToUtf8Bytes(value, type)], 1, HasMore: false);
}
