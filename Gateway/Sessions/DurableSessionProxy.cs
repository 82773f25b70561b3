using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Sessions;

/// <summary>The gateway's end of a durable session: hands the client's acknowledgements to the session and writes what it sends.</summary>
/// <remarks>As <see cref="ISession"/> on the connection's event loop; as <see cref="ISessionPipe"/> on any thread, from where it goes to the loop's mailbox.</remarks>
internal sealed class DurableSessionProxy(ILocalSession session, ISessionGrain grain, Connection connection, ClientLocation location, OpenSessionResult opened)
    : ISession, ISessionPipe, ILetterBox
{
    private const int PublishLetter = 0;
    private const int RepeatLetter = 1;
    private const int ReleaseLetter = 2;
    private const int CloseLetter = 3;

    private int unopened;
    private int awaitsRoom;

    public bool IsPresent => opened.SessionPresent;

    public bool StoresReceipts => true;

    public RetainedRest[] RetainedRests => opened.Rests ?? [];

    public int QueueLength => session.QueueLength;

    public int SubscriptionCount => session.SubscriptionCount;

    public SessionCounts Counts => session.Counts;

    /// <summary>False also while the loop's mailbox is full: then the session's own bounded queue holds what comes, until there is room.</summary>
    bool ISessionPipe.IsWritable => connection.Sender.IsWritable && (connection.Loop.Loop.InEventLoop || !connection.Loop.Mailbox.IsFull || !WaitForRoom());

    public void Start() => session.Attach(this);

    public void Drain() => session.Drain();

    public void Retry(TimeSpan olderThan) => session.Retry(olderThan);

    public bool Acknowledge(ushort packetIdentifier) => Count(session.Acknowledge(packetIdentifier));

    public bool Receive(ushort packetIdentifier, ReasonCode code) => session.Receive(packetIdentifier, code);

    public bool Complete(ushort packetIdentifier) => Count(session.Complete(packetIdentifier));

    public bool IsInUse(ushort packetIdentifier) => session.IsInUse(packetIdentifier);

    public ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt? receipt, out long number) => session.TryReceive(packetIdentifier, receipt!, out number);

    public bool Release(ushort packetIdentifier, PublishReceipt? receipt) => session.Release(packetIdentifier, receipt!);

    public IDisposable? BeginAtomicWrites() => session.BeginAtomicWrites();

    public async ValueTask<SubscribeResult[]> SubscribeAsync(Subscription[] requested) => await GrainCalls.InsistAsync(() => grain.Subscribe(requested), connection.Loop.Time);

    public async ValueTask<ReasonCode[]> UnsubscribeAsync(TopicFilter[] filters) => await GrainCalls.InsistAsync(() => grain.Unsubscribe(filters), connection.Loop.Time);

    public bool IsSubscribed(in TopicFilter filter) => session.IsSubscribed(filter);

    public void DeliverRetained(ApplicationMessage message, in Subscription subscription) => session.DeliverRetained(message, subscription);

    public async ValueTask CloseAsync(bool publishWill, uint? expirySeconds)
    {
        session.Detach(this);
        var rests = connection.Retained is { } retained ? await retained.RestsAsync() : null;
        await GrainCalls.InsistAsync(() => grain.Close(new CloseSessionRequest(location, publishWill, expirySeconds, rests)), connection.Loop.Time);
    }

    void ISessionPipe.Publish(in Delivery delivery, bool dup) => Hand(new Letter(this, dup ? RepeatLetter : PublishLetter, Delivery: delivery));

    void ISessionPipe.Release(ushort packetIdentifier) => Hand(new Letter(this, ReleaseLetter, Number: packetIdentifier));

    void ISessionPipe.Close(ReasonCode code) => Hand(new Letter(this, CloseLetter, Number: (int)code));

    void ILetterBox.Open(in Letter letter)
    {
        Interlocked.Decrement(ref unopened);
        Write(letter);
    }

    private bool WaitForRoom()
    {
        if (Interlocked.Exchange(ref awaitsRoom, 1) != 0) return true;
        connection.Loop.Mailbox.WhenRoom(() =>
        {
            Volatile.Write(ref awaitsRoom, 0);
            if (!connection.IsEnding) session.Drain();
        });
        return true;
    }

    /// <summary>At once on the loop, unless letters from other threads are still on their way: order is kept.</summary>
    private void Hand(in Letter letter)
    {
        if (connection.Loop.Loop.InEventLoop && Volatile.Read(ref unopened) == 0)
        {
            Write(letter);
            return;
        }

        Interlocked.Increment(ref unopened);
        connection.Loop.Mailbox.Post(letter);
    }

    private void Write(in Letter letter)
    {
        if (connection.IsEnding) return;
        switch (letter.Kind)
        {
            case ReleaseLetter:
                connection.Sender.Acknowledge(PacketType.Pubrel, (ushort)letter.Number, ReasonCode.Success);
                break;
            case CloseLetter:
                connection.Disconnect((ReasonCode)letter.Number, "session gone");
                break;
            default:
                var delivery = letter.Delivery;
                if (connection.Sender.Publish(delivery, letter.Kind == RepeatLetter, shared: false)) BrokerCounters.Add(Metric.MessagesDelivered);
                else if (delivery.Qos != Qos.AtMostOnce) session.Forget(delivery.PacketIdentifier);
                break;
        }
    }

    private static bool Count(bool acknowledged)
    {
        if (acknowledged) BrokerCounters.Add(Metric.MessagesAcked);
        return acknowledged;
    }
}
