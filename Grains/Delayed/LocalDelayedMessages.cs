using System.Text;
using System.Text.Json;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;

namespace Broker.Grains.Delayed;

/// <summary>The waiting messages of the partitions of this process. What is not on a page is not read, but by an index.</summary>
internal sealed class LocalDelayedMessages(LocalDelayedPartitions partitions, ShardMap map, BrokerStore store, TimeProvider time) : INodeResource
{
    private const int PageSize = 1_000;
    private const int MostPayloadBytes = 64 * 1024;

    public string Resource => NodeResources.Delayed;

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (query is { Filters: [], Limit: 0 }) return new NodePage(node, [], partitions.All().Sum(partition => partition.Count), HasMore: false);
        if (query.Filters is [{ Key: NodeResources.DelayedId } named]) return await FindAsync(node, named.Value);
        var page = new PageBuilder<DelayedHead>(query);
        var (wanted, numbers) = Select(query.Filters);
        var toSkip = query.Filters.Length > 0 ? 0 : query.Skip;
        foreach (var number in numbers)
        {
            if (page.IsFull) break;
            if (partitions.Find(number) is not { Count: > 0 and var count }) continue;
            var skip = Math.Min(count, toSkip);
            page.Passes(skip);
            toSkip -= skip;
            if (skip < count) await ReadAsync(number, skip, wanted, page);
        }

        var now = time.GetUtcNow();
        return page.Build(node, head => DelayedRow.Of(node, head, now, time.LocalTimeZone), DelayedJson.Default.DelayedRow);
    }

    public async Task<NodeResult> DoAsync(string node, NodeCommand command)
    {
        var isDone = command.Action == "delete" && DelayedKey.TryParse(command.Name, out var key) && Here(key) is { } partition && await partition.RemoveAsync(key);
        return new NodeResult(node, isDone ? 1 : 0);
    }

    private async Task ReadAsync(int number, long skip, Func<DelayedHead, bool> wanted, PageBuilder<DelayedHead> page)
    {
        DelayedKey? after = null;
        while (!page.IsFull)
        {
            var (from, left) = (after, after is null ? skip : 0);
            var heads = await store.ReadDelayedAsync(reader => reader.ReadHeads(number, from, left, PageSize));
            page.Add(heads.Where(wanted));
            if (heads.Count < PageSize) return;
            after = heads[^1].Key;
        }
    }

    /// <returns>What the filters want, and the partitions in which that can be.</returns>
    private (Func<DelayedHead, bool> Wanted, IEnumerable<int> Partitions) Select(KeyValuePair<string, string>[] filters)
    {
        Func<DelayedHead, bool> wanted = _ => true;
        IEnumerable<int> numbers = partitions.Numbers();
        foreach (var (name, value) in filters)
        {
            var before = wanted;
            if (name == "topic")
            {
                wanted = head => before(head) && head.Topic == value;
                numbers = numbers.Intersect(TopicName.TryParse(Encoding.UTF8.GetBytes(value), out var topic) ? [map.ShardOf(topic)] : []);
            }
            else if (name == "_match_topic")
            {
                if (!TopicFilter.TryParse(value, out var filter)) throw new FormatException($"'{value}' is no topic filter");
                wanted = head => before(head) && filter.Matches(head.Topic);
                if (map.ShardOf(filter) is not ShardMap.EveryShard and var home) numbers = numbers.Intersect([home]);
            }
        }

        return (wanted, numbers);
    }

    private async Task<NodePage> FindAsync(string node, string id)
    {
        var found = DelayedKey.TryParse(id, out var key) && Here(key) is not null ? await store.ReadDelayedAsync(reader => reader.Find(key)) : null;
        if (found is not var (head, message)) return new NodePage(node, [], 0, HasMore: false);
        var row = JsonSerializer.SerializeToElement(DelayedRow.Of(node, head, time.GetUtcNow(), time.LocalTimeZone), DelayedJson.Default.DelayedRow);
        return NodePages.Write(node, json =>
        {
            foreach (var member in row.EnumerateObject()) member.WriteTo(json);
            json.WriteBase64String("payload", message.Payload.AsSpan(0, Math.Min(message.Payload.Length, MostPayloadBytes)));
            json.WriteBoolean("payload_truncated", message.Payload.Length > MostPayloadBytes);
        });
    }

    private DelayedPartition? Here(DelayedKey key) => key.Partition < map.Count ? partitions.Find(key.Partition) : null;
}
