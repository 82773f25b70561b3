using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Tests.Unit.Gateway.Mqtt;

/// <summary>A session that writes down the acknowledgements it gets, and answers SUBSCRIBE when it is told to.</summary>
internal sealed class RecordingSession : ISession
{
    public List<ushort> Acknowledged { get; } = [];

    public List<ushort> Released { get; } = [];

    /// <summary>Runs inside <see cref="Acknowledge"/>.</summary>
    public Action<ushort>? OnAcknowledge { get; set; }

    /// <summary>What SUBSCRIBE waits for.</summary>
    public TaskCompletionSource<SubscribeResult[]> Subscribing { get; set; } = new();

    public bool IsClosed { get; private set; }

    public bool IsPresent => false;

    public bool StoresReceipts => false;

    public RetainedRest[] RetainedRests => [];

    public int SubscriptionCount => 0;

    public int QueueLength => 0;

    public SessionCounts Counts => default;

    public bool IsSubscribed(in TopicFilter filter) => true;

    public void Start()
    {
    }

    public void Drain()
    {
    }

    public void Retry(TimeSpan olderThan)
    {
    }

    public bool Acknowledge(ushort packetIdentifier)
    {
        Acknowledged.Add(packetIdentifier);
        OnAcknowledge?.Invoke(packetIdentifier);
        return true;
    }

    public bool Receive(ushort packetIdentifier, ReasonCode code) => true;

    public bool Complete(ushort packetIdentifier) => true;

    public bool IsInUse(ushort packetIdentifier) => false;

    public ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt? receipt, out long number)
    {
        number = 0;
        return ReceiveOutcome.New;
    }

    public bool Release(ushort packetIdentifier, PublishReceipt? receipt)
    {
        Released.Add(packetIdentifier);
        return true;
    }

    public IDisposable? BeginAtomicWrites() => null;

    public async ValueTask<SubscribeResult[]> SubscribeAsync(Subscription[] subscriptions) => await Subscribing.Task;

    public ValueTask<ReasonCode[]> UnsubscribeAsync(TopicFilter[] filters) => throw new NotSupportedException();

    public void DeliverRetained(ApplicationMessage message, in Subscription subscription) => throw new NotSupportedException();

    public ValueTask CloseAsync(bool publishWill, uint? expirySeconds)
    {
        IsClosed = true;
        return ValueTask.CompletedTask;
    }
}
