using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;

namespace Broker.Grains.Delayed;

/// <inheritdoc cref="IDelayedPublisher"/>
/// <remarks>As a link: one batch under way, numbered, so that a shard which is asked again does not route it again.</remarks>
internal sealed class DelayedPublisher(IGrainFactory grains, ShardMap map, IBrokerHooks hooks) : IDelayedPublisher
{
    private readonly Guid link = Guid.NewGuid();
    private long number;
    private ApplicationMessage[]? underWay;
    private Part[] parts = [];

    public async Task<ReasonCode[]> PublishAsync(ApplicationMessage[] messages)
    {
        if (!ReferenceEquals(messages, underWay))
        {
            parts = await PrepareAsync(messages);
            underWay = messages;
        }

        await Task.WhenAll(parts.Where(part => part.Codes is null).Select(PublishAsync));
        var codes = new ReasonCode[messages.Length];
        foreach (var part in parts)
        {
            for (var i = 0; i < part.Places.Count; i++) codes[part.Places[i]] = part.Codes![i];
        }

        (underWay, parts) = (null, []);
        return codes;
    }

    /// <summary>Asks the hooks, and sorts by shard: nearly always there is one, but a hook may change a topic.</summary>
    private async Task<Part[]> PrepareAsync(ApplicationMessage[] messages)
    {
        var byShard = new Dictionary<int, Part>();
        for (var i = 0; i < messages.Length; i++)
        {
            if (await hooks.PublishingAsync(messages[i]) is not { } message) continue;
            BrokerCounters.Add(Metric.MessagesPublish);
            var shard = map.ShardOf(message.Topic);
            if (!byShard.TryGetValue(shard, out var part)) byShard.Add(shard, part = new Part(shard, ++number));
            part.Places.Add(i);
            part.Messages.Add(message);
        }

        return [.. byShard.Values];
    }

    private async Task PublishAsync(Part part)
    {
        var kept = part.Messages.FindAll(message => message.Retain);
        var keptCodes = kept.Count == 0 ? [] : await grains.GetGrain<IRetainedGrain>(part.Shard).Store([.. kept]);
        ReasonCode[] codes = [.. await grains.GetGrain<ITopicShardGrain>(part.Shard).Publish(new PublishBatch(link, part.Number, [.. part.Messages]))];
        for (int i = 0, of = 0; i < codes.Length; i++)
        {
            if (part.Messages[i].Retain && keptCodes[of++] is >= ReasonCode.UnspecifiedError and var refusal) codes[i] = refusal;
        }

        part.Codes = codes;
    }

    /// <summary>The messages of one shard.</summary>
    private sealed class Part(int shard, long number)
    {
        public int Shard => shard;

        public long Number => number;

        /// <summary>Where they stand among all.</summary>
        public List<int> Places { get; } = [];

        public List<ApplicationMessage> Messages { get; } = [];

        /// <summary>The answers; null until they have come.</summary>
        public ReasonCode[]? Codes { get; set; }
    }
}
