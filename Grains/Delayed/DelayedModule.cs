using System.Text.Json;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Interfaces.Routing;
using Microsoft.Extensions.Configuration;

namespace Broker.Grains.Delayed;

/// <summary>Lets messages wait that are published by a grain, which are wills. Whether the module is on is asked each time: a silo keeps no copy of the records.</summary>
internal sealed class DelayedModule(IGrainFactory grains, ShardMap map, IConfiguration configuration, TimeProvider time)
{
    private const string Usual = "Modules:Delayed";
    private const string Table = "module";
    private const string Name = "emqx_mod_delayed";

    /// <summary>Stores a message that is published to a topic which delays.</summary>
    /// <returns>False if it is to be routed as any other; otherwise it waits, or was refused, which is counted.</returns>
    public async Task<bool> TryStoreAsync(ApplicationMessage message)
    {
        if (!DelayedTopic.Is(message.Topic) || !await IsOnAsync()) return false;
        if (!DelayedTopic.Read(message.Topic).TryMake(message, time.GetUtcNow().ToUnixTimeMilliseconds(), out var waiting)) BrokerCounters.Add(Metric.MessagesDelayedDropped);
        else await grains.GetGrain<IDelayedGrain>(map.ShardOf(waiting.Message.Topic)).Store(new DelayedBatch(Guid.NewGuid(), 1, [waiting]));
        return true;
    }

    private async Task<bool> IsOnAsync()
    {
        if (await grains.GetGrain<IRecordsGrain>(0).Find(Table, Name) is not { } record) return configuration.GetValue(Usual, false);
        using var state = JsonDocument.Parse(record);
        return state.RootElement.GetProperty("IsActive").GetBoolean();
    }
}
