using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin;

/// <summary>Makes a process's answers.</summary>
internal static class NodePages
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

    /// <summary>One thing.</summary>
    public static NodePage One<T>(string node, T value, JsonTypeInfo<T> type) => new(node, [JsonSerializer.SerializeToUtf8Bytes(value, type)], 1, HasMore: false);
}
