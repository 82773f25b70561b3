using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Grains.Delayed;

/// <summary>Makes what a partition works with.</summary>
internal sealed class DelayedServicesFactory(
    BrokerStore store, IOptions<DelayedOptions> options, DelayedBudget budget, IGrainFactory grains, ShardMap map, IBrokerHooks hooks, TimeProvider time, ILogger<DelayedPump> log)
{
    /// <summary>For one partition.</summary>
    public DelayedServices Create() => new(store, options.Value, budget, new DelayedPublisher(grains, map, hooks), time, log);
}
