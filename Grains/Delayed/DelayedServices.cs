using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Delayed;

/// <summary>What a partition of waiting messages works with.</summary>
/// <param name="Publisher">Its own.</param>
internal sealed record DelayedServices(BrokerStore Store, DelayedOptions Options, DelayedBudget Budget, IDelayedPublisher Publisher, TimeProvider Time, ILogger Log);

/// <summary>Publishes what is due. Used by one at a time.</summary>
internal interface IDelayedPublisher
{
    /// <summary>Publishes messages, in order; completes when everybody has them who must.</summary>
    /// <param name="messages">If a call has failed, the same array says that it is to be finished: who has had them then does not get them again.</param>
    /// <returns>A code for each: what was refused may be published again.</returns>
    Task<ReasonCode[]> PublishAsync(ApplicationMessage[] messages);
}
