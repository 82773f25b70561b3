using System.Globalization;
using System.Text.Json.Serialization;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Retained;

/// <summary>A retained message as the HTTP API shows it.</summary>
internal sealed record RetainedRow(string Topic, int Qos, [property: JsonPropertyName("from_clientid")] string FromClientId, int PayloadBytes)
{
    /// <summary>When it goes; null is never.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ExpiresAt { get; init; }

    public static RetainedRow Of(ApplicationMessage message) => new(message.Topic.Text, (int)message.Qos, message.PublisherId, message.Payload.Length)
    {
        ExpiresAt = message.ExpiresAt == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(message.ExpiresAt).ToString("yyyy-MM-ddTHH:mm:ss.fffzzz", CultureInfo.InvariantCulture),
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RetainedRow))]
internal sealed partial class RetainedJson : JsonSerializerContext;

/// <summary>The retained messages of the partitions of this process: in pages, without their payloads; deleted in parts.</summary>
internal sealed class RetainedListing(LocalRetainedPartitions partitions, ShardMap map) : INodeResource
{
    /// <summary>Messages read while a partition's lock is held.</summary>
    private const int Stretch = 1000;

    /// <summary>Messages that one command deletes at most: some 50 ms of the store.</summary>
    private const int MaxDeleted = 2000;

    public string Resource => NodeResources.Retained;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (query is { Filters: [], Limit: 0 }) return ValueTask.FromResult(new NodePage(node, [], partitions.All().Sum(one => (long)one.Count), HasMore: false));
        var wanted = Wanted(query.Filters, out var filter);
        var passed = 0L;
        if (filter is null)
        {
            // What lies in front of the page is not read.
            while (wanted.Length > 0 && partitions.Find(wanted[0]) is var first && passed + (first?.Count ?? 0) <= query.Skip)
            {
                passed += first?.Count ?? 0;
                wanted = wanted[1..];
            }
        }

        var page = NodePages.Select(node, query with { Skip = query.Skip - passed }, Find(wanted, filter), RetainedRow.Of, RetainedJson.Default.RetainedRow);
        return ValueTask.FromResult(page with { Found = page.Found + passed });
    }

    public async Task<NodeResult> DoAsync(string node, NodeCommand command)
    {
        if (command.Action != NodeResources.DeleteRetained) return new NodeResult(node, 0, $"'{command.Action}' is not known");
        var deleting = Find(Wanted(command.Arguments, out var filter), filter).Take(MaxDeleted).Select(DeleteAsync).ToArray();
        var codes = await Task.WhenAll(deleting);
        var refused = Array.Find(codes, code => code >= ReasonCode.UnspecifiedError);
        return new NodeResult(node, codes.Length, refused == ReasonCode.Success ? null : $"not all could be deleted: {refused}");
    }

    /// <returns>When it is as good as done: the store has it too.</returns>
    private Task<ReasonCode> DeleteAsync(ApplicationMessage message)
    {
        var receipt = new TaskReceipt();
        var empty = new ApplicationMessage { Topic = message.Topic, Payload = [], Qos = Qos.AtLeastOnce, Retain = true };
        if (partitions.Find(map.ShardOf(message.Topic)) is not { } partition || !partition.TryStore(empty, receipt)) receipt.Answer(ReasonCode.ServerMoved);
        return receipt.Completion;
    }

    /// <summary>The partitions that a question is about.</summary>
    /// <param name="filter">What must match; null is everything, `$…` topics included.</param>
    /// <exception cref="FormatException">A filter is none.</exception>
    private int[] Wanted(KeyValuePair<string, string>[] filters, out TopicFilter? filter)
    {
        filter = null;
        if (filters.Length == 0) return partitions.Numbers();
        var texts = filters.Select(one => one.Value).ToArray();
        foreach (var text in texts)
        {
            if (!TopicFilter.TryParse(text, out var parsed) || parsed.IsGrouped) throw new FormatException($"'{text}' is no topic filter");
            // With a filter and a topic the topic is the narrower one: what else must match is asked of each message.
            if (filter is null || !parsed.HasWildcard) filter = parsed;
        }

        var home = map.ShardOf(filter!.Value);
        return home == ShardMap.EveryShard ? partitions.Numbers() : [home];
    }

    private IEnumerable<ApplicationMessage> Find(int[] wanted, TopicFilter? filter)
    {
        foreach (var number in wanted)
        {
            if (partitions.Find(number) is not { } partition) continue;
            for (TopicName? after = null; ;)
            {
                RetainedPage page = default;
                if (filter is not { } one) page = partition.ReadAll(after, Stretch);
                else if (!partition.TryMatch(one, after, Stretch, out page)) break;
                foreach (var message in page.Messages) yield return message;
                if ((after = page.Next) is null) break;
            }
        }
    }
}
