using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using IRunnable = DotNetty.Common.Concurrency.IRunnable;

namespace Broker.Gateway.Sessions;

/// <summary>The gateway's end of a durable session in another process: what the client does travels there as commands, what the session sends comes back.</summary>
/// <remarks>On the connection's event loop, but for <see cref="Receive(in PipeItem)"/>, <see cref="Executed"/> and <see cref="Lose"/>. What must be decided
/// at once is decided by copies (<see cref="RemoteReceipts"/>, filters); they follow the session, as only this connection changes it.</remarks>
internal sealed class RemoteSession(
    Connection connection, ClientLocation location, string clientId, ISessionGrain grain, SessionLinks links, OpenSessionResult opened, SessionLimits limits)
    : ISession, ILetterBox, IRunnable
{
    /// <summary>So many commands of one client may be on their way; then it is not read. A client's window of acknowledgements stays far below.</summary>
    private const int MaxCommands = 1024;

    /// <summary>A letter that is not from the session: the command that the client was stopped at is done.</summary>
    private const int ResumeLetter = 0xFF;

    private readonly SessionLink link = links.To(opened.Place!.Silo);
    private readonly RemoteReceipts receipts = new(limits, opened.Place!, connection.Loop.NowMs);
    private readonly HashSet<string>? filters = opened.Place!.Filters is { } known ? new(known, StringComparer.Ordinal) : null;
    private long sent;
    private long executed;
    private int credit;
    private long retained;
    private long settled;
    private bool isCrediting;
    private bool isStopped;
    private bool isAttached;
    private int isLost;

    /// <summary>The process of the session.</summary>
    public SiloAddress Silo => link.Silo;

    public bool IsPresent => opened.SessionPresent;

    public bool StoresReceipts => true;

    public RetainedRest[] RetainedRests => opened.Rests ?? [];

    /// <inheritdoc/>
    /// <remarks>As the session last told, and what it cannot have counted yet. Known only while retained messages are sent, which is what it is for.</remarks>
    public int QueueLength => (int)Math.Clamp(retained - settled, 0, int.MaxValue);

    public int SubscriptionCount => filters?.Count ?? 0;

    /// <inheritdoc/>
    /// <remarks>The queue and the window are the session's, in its own process.</remarks>
    public SessionCounts Counts => new(0, 0, 0, 0, SubscriptionCount, limits);

    public bool IsSubscribed(in TopicFilter filter) => filters is not null && filters.Contains(filter.Text);

    public void Start()
    {
        isAttached = true;
        links.Add(location.Connection, this);
        Send(SessionCommandKind.Attach);
        if (opened.Rests is not null) AskQueueLength();
    }

    public void Drain() => GiveCredit();

    public void Retry(TimeSpan olderThan)
    {
        receipts.Expire(connection.Loop.NowMs);
        // Sent even if there is nothing to repeat: so a connection whose session has gone without a word learns of it.
        Send(SessionCommandKind.Retry, number: (long)olderThan.TotalMilliseconds);
    }

    /// <inheritdoc/>
    /// <remarks>The session counts what is not in flight.</remarks>
    public bool Acknowledge(ushort packetIdentifier) => Send(SessionCommandKind.Acknowledge, packetIdentifier);

    /// <inheritdoc/>
    /// <remarks>The session answers what is not in flight.</remarks>
    public bool Receive(ushort packetIdentifier, ReasonCode code) => Send(SessionCommandKind.Receive, packetIdentifier, code);

    /// <inheritdoc/>
    /// <remarks>Asked only of what is not in flight, which the session counts.</remarks>
    public bool IsInUse(ushort packetIdentifier) => false;

    public bool Complete(ushort packetIdentifier) => Send(SessionCommandKind.Complete, packetIdentifier);

    public ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt? receipt, out long number)
    {
        var outcome = receipts.TryReceive(packetIdentifier, connection.Loop.NowMs, out number);
        if (outcome != ReceiveOutcome.Full)
        {
            Send(new SessionCommand(
                clientId, location.Connection, SessionCommandKind.StoreReceipt, packetIdentifier, Number: receipts.Await(receipt!), MessageNumber: number));
        }

        return outcome;
    }

    public bool Release(ushort packetIdentifier, PublishReceipt? receipt) =>
        receipts.Release(packetIdentifier) && Send(SessionCommandKind.RemoveReceipt, packetIdentifier, number: receipts.Await(receipt!));

    /// <inheritdoc/>
    /// <remarks>No transaction spans processes.</remarks>
    public IDisposable? BeginAtomicWrites() => null;

    public async ValueTask<SubscribeResult[]> SubscribeAsync(Subscription[] requested)
    {
        var results = await GrainCalls.InsistAsync(() => grain.Subscribe(requested), connection.Loop.Time);
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i].Code < ReasonCode.UnspecifiedError) filters?.Add(requested[i].Filter.Text);
        }

        AskQueueLength();
        return results;
    }

    public async ValueTask<ReasonCode[]> UnsubscribeAsync(TopicFilter[] requested)
    {
        var codes = await GrainCalls.InsistAsync(() => grain.Unsubscribe(requested), connection.Loop.Time);
        foreach (var filter in requested) filters?.Remove(filter.Text);
        return codes;
    }

    public void DeliverRetained(ApplicationMessage message, in Subscription subscription)
    {
        retained++;
        Send(new SessionCommand(clientId, location.Connection, SessionCommandKind.DeliverRetained, Message: message, Options: subscription.Options));
    }

    public async ValueTask CloseAsync(bool publishWill, uint? expirySeconds)
    {
        if (isAttached)
        {
            // What the client did before must be known to the session when a successor opens it.
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Send(new SessionCommand(clientId, location.Connection, SessionCommandKind.Detach), done);
            await done.Task;
            links.Remove(location.Connection);
        }

        var rests = connection.Retained is { } feed ? await feed.RestsAsync() : null;
        receipts.Abandon();
        await GrainCalls.InsistAsync(() => grain.Close(new CloseSessionRequest(location, publishWill, expirySeconds, rests)), connection.Loop.Time);
    }

    /// <summary>The session tells something. Any thread.</summary>
    public void Receive(in PipeItem item)
    {
        // A letter has one number: the code goes beside the kind.
        var kind = (int)item.Kind | (int)item.Code << 8;
        connection.Loop.Mailbox.Post(new Letter(this, kind, Number: item.Number, Delivery: item.Delivery));
    }

    /// <summary>A command has been done, or refused. The link's task.</summary>
    /// <param name="resumes">The client is to be read again.</param>
    public void Executed(bool resumes)
    {
        Interlocked.Increment(ref executed);
        if (resumes) connection.Loop.Mailbox.Post(new Letter(this, ResumeLetter));
    }

    /// <summary>The session is lost to this connection: its client is to connect again. Any thread.</summary>
    public void Lose(ReasonCode code)
    {
        if (Interlocked.Exchange(ref isLost, 1) != 0) return;
        BrokerCounters.Add(Metric.SessionLost);
        _ = connection.CloseAsync(code, "session gone");
    }

    /// <summary>The credit for all that came in one turn of the loop.</summary>
    void IRunnable.Run()
    {
        isCrediting = false;
        GiveCredit();
    }

    void ILetterBox.Open(in Letter letter)
    {
        if (letter.Kind == ResumeLetter)
        {
            isStopped = false;
            connection.Reading.End();
            return;
        }

        var code = (ReasonCode)(letter.Kind >> 8);
        if ((PipeItemKind)(byte)letter.Kind == PipeItemKind.Answer) receipts.Answer(letter.Number, code);
        else if (!connection.IsEnding) Write((PipeItemKind)(byte)letter.Kind, code, letter);
    }

    private void Write(PipeItemKind kind, ReasonCode code, in Letter letter)
    {
        switch (kind)
        {
            case PipeItemKind.Publish or PipeItemKind.Repeat:
                Publish(letter.Delivery, dup: kind == PipeItemKind.Repeat);
                break;
            case PipeItemKind.Release:
                connection.Sender.Acknowledge(PacketType.Pubrel, (ushort)letter.Number, ReasonCode.Success);
                break;
            case PipeItemKind.Unknown:
                connection.Sender.Acknowledge(PacketType.Pubrel, (ushort)letter.Number, ReasonCode.PacketIdentifierNotFound);
                break;
            case PipeItemKind.QueueLength:
                settled = letter.Number;
                connection.Retained?.Pump();
                break;
            case PipeItemKind.Close:
                connection.Disconnect(code, "session gone");
                break;
        }
    }

    private void Publish(in Delivery delivery, bool dup)
    {
        if (connection.Sender.Publish(delivery, dup, shared: false)) BrokerCounters.Add(Metric.MessagesDelivered);
        else if (delivery.Qos != Qos.AtMostOnce) Send(SessionCommandKind.Forget, delivery.PacketIdentifier);
        credit += DeliveryWindow.WeightOf(delivery);
        if (credit >= DeliveryWindow.Size / 2)
        {
            GiveCredit();
        }
        else if (QueueLength > 0 && !isCrediting)
        {
            // Retained messages wait for the queue to move, which the session tells when it hears something.
            isCrediting = true;
            connection.Loop.Loop.Execute(this);
        }
    }

    /// <summary>How much room there is for retained messages is asked first; they go on when the answer is there.</summary>
    private void AskQueueLength()
    {
        settled = long.MinValue / 2;
        Send(SessionCommandKind.TellQueueLength);
    }

    /// <summary>Lets the session send as much as the socket has taken; a socket that is full keeps it waiting.</summary>
    private void GiveCredit()
    {
        if (credit == 0 || !connection.Sender.IsWritable || connection.IsEnding) return;
        Send(SessionCommandKind.Credit, number: credit);
        credit = 0;
    }

    private bool Send(SessionCommandKind kind, ushort packetIdentifier = 0, ReasonCode code = ReasonCode.Success, long number = 0) =>
        Send(new SessionCommand(clientId, location.Connection, kind, packetIdentifier, code, number));

    /// <returns>True always.</returns>
    private bool Send(in SessionCommand command, TaskCompletionSource? done = null)
    {
        var tooMany = ++sent - Volatile.Read(ref executed) >= MaxCommands || link.IsFull;
        var stops = tooMany && !isStopped && done is null;
        if (!link.TryEnqueue(new SessionLink.Work(this, command, stops, done)))
        {
            done?.TrySetResult();
            if (done is null) Lose(ReasonCode.ServerBusy);
            return true;
        }

        if (!stops) return true;
        isStopped = true;
        BrokerCounters.Add(Metric.ClientReadPaused);
        connection.Reading.Begin();
        return true;
    }
}
