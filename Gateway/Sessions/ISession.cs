using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Sessions;

/// <summary>The session behind a connection, as the connection sees it. Called on the connection's event loop.</summary>
internal interface ISession
{
    /// <summary>Whether an earlier session was resumed.</summary>
    bool IsPresent { get; }

    /// <summary>Whether incoming QoS 2 identifiers are stored, so that PUBREC and PUBCOMP must wait.</summary>
    bool StoresReceipts { get; }

    /// <summary>CONNACK has been written: deliveries may start.</summary>
    void Start();

    /// <summary>The socket takes more again.</summary>
    void Drain();

    /// <summary>Sends again what a 3.x client has not acknowledged for that long.</summary>
    void Retry(TimeSpan olderThan);

    /// <summary>PUBACK. False if its identifier is not in flight.</summary>
    bool Acknowledge(ushort packetIdentifier);

    /// <summary>PUBREC; with success PUBREL follows when that is safe. False if its identifier is not in flight.</summary>
    bool Receive(ushort packetIdentifier, ReasonCode code);

    /// <summary>PUBCOMP. False if its identifier is not in flight.</summary>
    bool Complete(ushort packetIdentifier);

    /// <summary>Whether a delivery with this identifier is in flight.</summary>
    bool IsInUse(ushort packetIdentifier);

    /// <summary>Incoming QoS 2: reserves the identifier.</summary>
    /// <param name="receipt">Needed if <see cref="StoresReceipts"/>.</param>
    /// <param name="number">The message's number in its session; meaningful only if <see cref="StoresReceipts"/>.</param>
    ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt? receipt, out long number);

    /// <summary>Incoming PUBREL, or a refused PUBLISH: frees the identifier. False if it was not reserved.</summary>
    /// <param name="receipt">Needed if <see cref="StoresReceipts"/>.</param>
    bool Release(ushort packetIdentifier, PublishReceipt? receipt);

    /// <summary>Opens what makes the writes of one incoming message a unit; null if nothing is written.</summary>
    IDisposable? BeginAtomicWrites();

    /// <summary>How many deliveries wait for the window or the socket.</summary>
    int QueueLength { get; }

    /// <summary>How many subscriptions there are.</summary>
    int SubscriptionCount { get; }

    /// <summary>What it holds, as of about now. From any thread.</summary>
    SessionCounts Counts { get; }

    /// <summary>Whether there is a subscription with this filter.</summary>
    bool IsSubscribed(in TopicFilter filter);

    /// <summary>Adds or changes subscriptions; completes when the whole cluster routes to them (promise 2).</summary>
    ValueTask<SubscribeResult[]> SubscribeAsync(Subscription[] subscriptions);

    /// <summary>Removes subscriptions.</summary>
    ValueTask<ReasonCode[]> UnsubscribeAsync(TopicFilter[] filters);

    /// <summary>Delivers a retained message for a new subscription.</summary>
    void DeliverRetained(ApplicationMessage message, in Subscription subscription);

    /// <summary>What an earlier connection left of the retained messages.</summary>
    RetainedRest[] RetainedRests { get; }

    /// <summary>The connection has ended.</summary>
    /// <param name="publishWill">False after a normal DISCONNECT.</param>
    /// <param name="expirySeconds">Session expiry interval changed by DISCONNECT.</param>
    ValueTask CloseAsync(bool publishWill, uint? expirySeconds);
}
