using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Sessions;

/// <summary>A durable session's way to a connection in another process, and what that connection asks of the session.</summary>
/// <remarks>Under the session's lock, but for <see cref="Tell"/> and <see cref="Break"/>. Bounded: no more than
/// <see cref="DeliveryWindow.Size"/> is on its way, so a client that does not read fills its own session's queue and holds up no other.</remarks>
internal sealed class RemotePipe(DurableSession session, ClientLocation location, PipeLink link) : ISessionPipe
{
    private long outstanding;
    private long retained;
    private volatile bool broken;

    /// <summary>The connection.</summary>
    public ClientLocation Location => location;

    public DurableSession Session => session;

    /// <summary>Whether the gateway waits for the queue to become shorter.</summary>
    public bool TellsQueueLength { get; private set; }

    public bool IsWritable => !broken && outstanding < DeliveryWindow.Size && link.HasRoom(this);

    public void Publish(in Delivery delivery, bool dup)
    {
        outstanding += DeliveryWindow.WeightOf(delivery);
        Tell(new PipeItem(location.Connection, dup ? PipeItemKind.Repeat : PipeItemKind.Publish, delivery with { Share = null }));
    }

    public void Release(ushort packetIdentifier) => Tell(new PipeItem(location.Connection, PipeItemKind.Release, Number: packetIdentifier));

    public void Close(ReasonCode code) => Tell(new PipeItem(location.Connection, PipeItemKind.Close, Code: code));

    /// <summary>Does what the connection asks.</summary>
    public void Execute(in SessionCommand command)
    {
        switch (command.Kind)
        {
            case SessionCommandKind.Detach:
                session.Detach(this);
                break;
            case SessionCommandKind.Acknowledge:
                Count(session.Acknowledge(command.PacketIdentifier), Metric.PacketsPubackMissed);
                break;
            case SessionCommandKind.Receive:
                Receive(command.PacketIdentifier, command.Code);
                break;
            case SessionCommandKind.Complete:
                Count(session.Complete(command.PacketIdentifier), Metric.PacketsPubcompMissed);
                break;
            case SessionCommandKind.Forget:
                session.Forget(command.PacketIdentifier);
                break;
            case SessionCommandKind.StoreReceipt:
                var stored = new RemoteReceipt(this, command.Number);
                session.Receipts.Reserve(command.PacketIdentifier, command.MessageNumber, stored);
                stored.Answer(ReasonCode.Success);
                break;
            case SessionCommandKind.RemoveReceipt:
                var removed = new RemoteReceipt(this, command.Number);
                session.Release(command.PacketIdentifier, removed);
                removed.Answer(ReasonCode.Success);
                break;
            case SessionCommandKind.DeliverRetained:
                retained++;
                TellsQueueLength = true;
                session.DeliverRetained(command.Message!, new Subscription(default, command.Options));
                break;
            case SessionCommandKind.Credit:
                outstanding -= command.Number;
                session.Drain();
                break;
            case SessionCommandKind.Retry:
                session.Retry(TimeSpan.FromMilliseconds(command.Number));
                break;
            case SessionCommandKind.TellQueueLength:
                TellsQueueLength = true;
                break;
        }
    }

    /// <summary>Tells the gateway how far the queue has come; it is told again after further commands until the queue is empty.</summary>
    public void TellQueueLength()
    {
        var length = session.QueueLength;
        TellsQueueLength = length > 0;
        Tell(new PipeItem(location.Connection, PipeItemKind.QueueLength, Number: retained - length));
    }

    /// <summary>Something could not be brought to the connection: it is closed, so that its client comes back and gets it again. Any thread.</summary>
    public void Break()
    {
        if (broken) return;
        broken = true;
        BrokerCounters.Add(Metric.SessionLost);
        link.CloseConnection(location.Connection);
    }

    private void Receive(ushort packetIdentifier, ReasonCode code)
    {
        if (session.Receive(packetIdentifier, code)) return;
        BrokerCounters.Add(Metric.PacketsPubrecMissed);
        if (code < ReasonCode.UnspecifiedError) Tell(new PipeItem(location.Connection, PipeItemKind.Unknown, Number: packetIdentifier));
    }

    private static void Count(bool known, Metric missed) => BrokerCounters.Add(known ? Metric.MessagesAcked : missed);

    private void Tell(in PipeItem item)
    {
        if (!broken && !link.TryEnqueue(new PipeLink.Work(this, item))) Break();
    }

    /// <summary>Answers a command of the connection when the store has done it.</summary>
    private sealed class RemoteReceipt(RemotePipe pipe, long number) : PublishReceipt
    {
        protected override void OnComplete(ReasonCode code) => pipe.Tell(new PipeItem(pipe.Location.Connection, PipeItemKind.Answer, Number: number, Code: code));
    }
}
