using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>A durable session whose grain is active in this process, as its connection sees it. Thread-safe; nothing here blocks.</summary>
public interface ILocalSession
{
    /// <summary>Gives the session its connection: resends what is in flight, then sends what waits. Call it when CONNACK has been written.</summary>
    void Attach(ISessionPipe pipe);

    /// <summary>Takes the connection away; it is sent nothing after this returns.</summary>
    void Detach(ISessionPipe pipe);

    /// <summary>How many deliveries wait for the window or the socket.</summary>
    int QueueLength { get; }

    /// <summary>How many subscriptions there are.</summary>
    int SubscriptionCount { get; }

    /// <summary>What it holds, as of about now.</summary>
    SessionCounts Counts { get; }

    /// <summary>Whether there is a subscription with this filter.</summary>
    bool IsSubscribed(in TopicFilter filter);

    /// <summary>PUBACK from the client.</summary>
    /// <returns>False if its identifier is not in flight.</returns>
    bool Acknowledge(ushort packetIdentifier);

    /// <summary>PUBREC from the client; with success the pipe is told to send PUBREL once that is stored.</summary>
    bool Receive(ushort packetIdentifier, ReasonCode code);

    /// <summary>PUBCOMP from the client.</summary>
    bool Complete(ushort packetIdentifier);

    /// <summary>Whether a delivery with this identifier is in flight.</summary>
    bool IsInUse(ushort packetIdentifier);

    /// <summary>An incoming QoS 2 PUBLISH: reserves its identifier.</summary>
    /// <param name="receipt">Is told when the reservation is stored, also if it was made before.</param>
    /// <param name="number">The message's number, of which <see cref="MessageOrigin.OfSession"/> makes its origin.</param>
    ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt receipt, out long number);

    /// <summary>Frees an incoming identifier: at PUBREL, or because its message was refused.</summary>
    /// <param name="receipt">Is told when that is stored.</param>
    /// <returns>False if it was not reserved; then the receipt is not used.</returns>
    bool Release(ushort packetIdentifier, PublishReceipt receipt);

    /// <summary>Delivers a retained message for a new subscription.</summary>
    void DeliverRetained(ApplicationMessage message, in Subscription subscription);

    /// <summary>The pipe can take QoS 0 messages again.</summary>
    void Drain();

    /// <summary>Sends again what has been unacknowledged for that long; zero sends nothing. Frees incoming identifiers that waited too long.</summary>
    void Retry(TimeSpan olderThan);

    /// <summary>A delivery that the client cannot take counts as completed. [MQTT-3.1.2-25]</summary>
    void Forget(ushort packetIdentifier);

    /// <summary>All that this thread writes to the store until the result is disposed is committed together or not at all.</summary>
    IDisposable BeginAtomicWrites();
}

/// <summary>A durable session's way to its connection. Called under the session's lock, on any thread: hand over, do not wait.</summary>
public interface ISessionPipe
{
    /// <summary>False while the socket, or the way to it, cannot keep up: messages wait in the session's queue then, until <see cref="ILocalSession.Drain"/>.</summary>
    bool IsWritable { get; }

    /// <summary>Sends a PUBLISH.</summary>
    /// <param name="dup">It may have been sent before. [MQTT-3.3.1-1]</param>
    void Publish(in Delivery delivery, bool dup);

    /// <summary>Sends a PUBREL.</summary>
    void Release(ushort packetIdentifier);

    /// <summary>The session is gone or has moved: the connection is to be closed.</summary>
    void Close(ReasonCode code);
}

/// <summary>Finds the durable sessions that are active in this process.</summary>
public interface ILocalSessions
{
    /// <summary>The session of a client, or null when its grain is not active here.</summary>
    ILocalSession? Find(string clientId);
}
