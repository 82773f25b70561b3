namespace Broker.Tests.Protocol.Harness;

/// <summary>A broker whose groups have a strategy each, by their names.</summary>
public class SharedBroker() : BrokerHost(new Dictionary<string, string?>
{
    ["Routing:SharedStrategy"] = "Random", ["Routing:GroupStrategies:rr"] = "RoundRobin", ["Routing:GroupStrategies:sticky"] = "Sticky",
    ["Routing:GroupStrategies:hash_clientid"] = "HashClientId", ["Routing:GroupStrategies:hash_topic"] = "HashTopic", ["Mqtt:MaxQueueLength"] = "0", ["Gateway:EventLoops"] = "4",
});

/// <summary>The same with every durable session reached by links.</summary>
public sealed class RemoteSharedBroker : SharedBroker
{
    public override bool IsRemote => true;
}
