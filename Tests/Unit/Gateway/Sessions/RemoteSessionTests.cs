using System.Net;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Sessions;

/// <summary>The gateway's end of a durable session in another process.</summary>
public sealed class RemoteSessionTests
{
    private static readonly SiloAddress Far = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private readonly GatewayFixture gateway = new();
    private readonly FakeSessionGrain grain = new();
    private Connection connection = null!;
    private Peer peer = null!;
    private RemoteSession session = null!;

    [Fact]
    public Task CommandsTravelInOrder_WhenACallIsInFlight() => TestThread.RunAsync(async () =>
    {
        Open();
        var call = await gateway.Remote.NextAsync();
        Assert.Equal(["Attach"], call.Commands);
        session.Acknowledge(1);
        session.Receive(2, ReasonCode.Success);
        session.Complete(3);
        session.Retry(TimeSpan.FromSeconds(2));
        call.Succeed();
        call = await gateway.Remote.NextAsync();
        Assert.Equal(["Acknowledge #1", "Receive #2", "Complete #3", "Retry 2000"], call.Commands);
        Assert.Equal(2, call.Batch.Number);
        Assert.All(call.Batch.Commands, command => Assert.Equal(("c", connection.Number), (command.ClientId, command.Connection)));
        call.Succeed();
    });

    [Fact]
    public void ClientIsSentWhatTheSessionTells_WhenItIsAttached()
    {
        Open();
        Tell(new PipeItem(connection.Number, PipeItemKind.Publish, Numbered("one", 1)), new PipeItem(connection.Number, PipeItemKind.Repeat, Numbered("two", 2)),
            new PipeItem(connection.Number, PipeItemKind.Release, Number: 3), new PipeItem(connection.Number, PipeItemKind.Unknown, Number: 4),
            new PipeItem(connection.Number + 1, PipeItemKind.Release, Number: 5));
        Assert.Equal(["a:one q1 #1", "a:two q1 #2 dup", "Pubrel #3", "Pubrel #4 0x92"], peer.Packets());
        Tell(new PipeItem(connection.Number, PipeItemKind.Close, Code: ReasonCode.SessionTakenOver));
        Assert.Equal(["Disconnect 0x8E"], peer.Packets());
        Tell(new PipeItem(connection.Number, PipeItemKind.Release, Number: 6));
        Assert.Empty(peer.Packets());
    }

    [Fact]
    public Task CreditIsGivenAsTheSocketTakes_WhenDeliveriesCome() => TestThread.RunAsync(async () =>
    {
        Open();
        await SucceedAsync("Attach");
        var delivery = Numbered(new string('x', 1000), 1);
        var weight = DeliveryWindow.WeightOf(delivery);
        var half = (DeliveryWindow.Size / 2 + weight - 1) / weight;
        for (var i = 0; i < half - 1; i++) Tell(new PipeItem(connection.Number, PipeItemKind.Publish, delivery));
        session.Acknowledge(1);
        await SucceedAsync("Acknowledge #1"); // no credit yet: it is not worth a command
        peer.TakesBytes = false;
        for (var i = half - 1; i < 2 * half; i++) Tell(new PipeItem(connection.Number, PipeItemKind.Publish, delivery));
        session.Acknowledge(2);
        await SucceedAsync("Acknowledge #2"); // none while the socket is full
        peer.TakesBytes = true;
        await SucceedAsync($"Credit {2 * half * weight}");
        peer.Packets();
    });

    [Fact]
    public Task ClientIsNotRead_WhenTooManyOfItsCommandsAreOnTheirWay() => TestThread.RunAsync(async () =>
    {
        Open();
        var call = await gateway.Remote.NextAsync();
        for (var i = 1; i < 1023; i++) session.Acknowledge((ushort)i);
        Assert.True(connection.TakesPackets);
        session.Acknowledge(1023);
        Assert.False(connection.TakesPackets);
        session.Acknowledge(1024); // what was read already
        call.Succeed();
        call = await gateway.Remote.NextAsync();
        Assert.Equal(1000, call.Commands.Length);
        call.Succeed();
        call = await gateway.Remote.NextAsync();
        gateway.Manual.RunAll();
        Assert.False(connection.TakesPackets);
        Assert.Equal(24, call.Commands.Length);
        call.Succeed();
        await UntilAsync(() => connection.TakesPackets);
    });

    [Fact]
    public Task IdentifiersAreDecidedAtOnce_WhenTheSessionKnewSomeBefore() => TestThread.RunAsync(async () =>
    {
        Open(new SessionLimits { MaxAwaitingRelease = 3 }, receipts: [7, 8]);
        await SucceedAsync("Attach");
        var (fresh, repeated, released) = (new TaskReceipt(), new TaskReceipt(), new TaskReceipt());
        Assert.Equal(ReceiveOutcome.New, session.TryReceive(9, fresh, out _));
        Assert.Equal(ReceiveOutcome.Repeated, session.TryReceive(7, repeated, out _));
        Assert.Equal(ReceiveOutcome.Full, session.TryReceive(10, new TaskReceipt(), out _));
        Assert.False(session.Release(11, new TaskReceipt()));
        Assert.True(session.Release(8, released));
        Assert.Equal(ReceiveOutcome.New, session.TryReceive(10, new TaskReceipt(), out _));
        foreach (var receipt in new[] { fresh, repeated, released }) receipt.Answer(ReasonCode.Success);
        Tell(new PipeItem(connection.Number, PipeItemKind.Answer, Number: 2), new PipeItem(connection.Number, PipeItemKind.Answer, Number: 1, Code: ReasonCode.QuotaExceeded));
        Assert.Equal((ReasonCode.QuotaExceeded, ReasonCode.Success), (await fresh.Completion, await repeated.Completion));
        Assert.False(released.Completion.IsCompleted);
        Tell(new PipeItem(connection.Number, PipeItemKind.Answer, Number: 3), new PipeItem(connection.Number, PipeItemKind.Answer, Number: 3));
        Assert.Equal(ReasonCode.Success, await released.Completion);
    });

    [Fact]
    public void IdentifierIsFree_WhenPubrelDoesNotComeInTime()
    {
        Open(new SessionLimits { AwaitReleaseTimeoutMs = 60_000 }, receipts: [7]);
        gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        session.Retry(TimeSpan.Zero);
        Assert.Equal(ReceiveOutcome.New, session.TryReceive(7, new TaskReceipt(), out _));
    }

    [Fact]
    public Task ClientIsToldAndReceiptsAreAnswered_WhenTheSessionRefuses() => TestThread.RunAsync(async () =>
    {
        Open();
        await SucceedAsync("Attach");
        var receipt = new TaskReceipt();
        session.TryReceive(1, receipt, out _);
        receipt.Answer(ReasonCode.Success);
        session.Acknowledge(2);
        var call = await gateway.Remote.NextAsync();
        call.Succeed(new RefusedConnection(connection.Number, ReasonCode.SessionTakenOver));
        await UntilAsync(() => connection.IsEnding);
        Assert.Equal(["Disconnect 0x8E"], peer.Packets());
        await AnswerAllAsync();
        Assert.Equal(ReasonCode.ServerShuttingDown, await receipt.Completion);
        Assert.Equal(new CloseSessionRequest(Location, true, null), await grain.Closed);
    });

    [Fact]
    public Task ClientIsSentAway_WhenTheProcessOfItsSessionIsDead() => TestThread.RunAsync(async () =>
    {
        Open();
        await SucceedAsync("Attach");
        gateway.Silos.Kill(SiloAddress.New(IPAddress.Loopback, 1, 2)); // another generation
        gateway.Manual.RunAll();
        Assert.False(connection.IsEnding);
        gateway.Silos.Kill(Far);
        gateway.Manual.RunAll();
        Assert.Equal(["Disconnect 0x8B"], peer.Packets());
        (await gateway.Remote.NextAsync()).Fail(); // Detach, which is not repeated
        await UntilAsync(() => grain.Closed.IsCompleted);
    });

    [Fact]
    public Task ClientIsSentAway_WhenACallFailsForGood() => TestThread.RunAsync(async () =>
    {
        Open();
        (await gateway.Remote.NextAsync()).Fail();
        await gateway.Clock.TimerSetAsync();
        gateway.Manual.Advance(TimeSpan.FromSeconds(30));
        var call = await gateway.Remote.NextAsync();
        Assert.Equal((1L, "Attach"), (call.Batch.Number, call.Commands[0]));
        call.Fail();
        await UntilAsync(() => connection.IsEnding);
        Assert.Equal(["Disconnect 0x8B"], peer.Packets());
    });

    [Fact]
    public Task SessionIsLeftOnlyWhenItKnowsAll_WhenTheConnectionEnds() => TestThread.RunAsync(async () =>
    {
        Open();
        var call = await gateway.Remote.NextAsync();
        session.Acknowledge(1);
        connection.OnClosed();
        gateway.Manual.RunAll();
        call.Succeed();
        call = await gateway.Remote.NextAsync();
        Assert.Equal(["Acknowledge #1", "Detach"], call.Commands);
        gateway.Manual.RunAll();
        Assert.False(grain.Closed.IsCompleted);
        call.Succeed();
        await UntilAsync(() => grain.Closed.IsCompleted);
    });

    [Fact]
    public Task RetainedWaitForRoom_WhenTheQueueIsLong() => TestThread.RunAsync(async () =>
    {
        Open();
        await SucceedAsync("Attach");
        var subscribing = session.SubscribeAsync([new Subscription(TopicFilter.Parse("a"), new SubscriptionOptions(Qos.AtMostOnce))]).AsTask();
        await UntilAsync(() => subscribing.IsCompleted);
        Assert.Equal(int.MaxValue, session.QueueLength); // not known
        await SucceedAsync("TellQueueLength");
        Tell(new PipeItem(connection.Number, PipeItemKind.QueueLength, Number: -5));
        Assert.Equal(5, session.QueueLength);
        for (var i = 0; i < 3; i++) session.DeliverRetained(TestMessage.On("a"), new Subscription(default, default));
        Assert.Equal(8, session.QueueLength);
        Tell(new PipeItem(connection.Number, PipeItemKind.QueueLength, Number: 3 - 4));
        Assert.Equal(4, session.QueueLength);
        // Each delivery makes the session look again.
        await AnswerOneAsync();
        Tell(new PipeItem(connection.Number, PipeItemKind.Publish, Numbered("x", 1)));
        gateway.Manual.RunAll();
        await UntilAsync(() => false, seen => seen.Any(command => command.StartsWith("Credit", StringComparison.Ordinal)));
    });

    [Fact]
    public void SubscriptionsAreKnown_WhenTheyAreLimited()
    {
        Open(filters: ["a", "b"]);
        Assert.Equal(2, session.SubscriptionCount);
        Assert.True(session.IsSubscribed(TopicFilter.Parse("b")));
        Assert.False(session.IsSubscribed(TopicFilter.Parse("c")));
    }

    private ClientLocation Location => new(GatewayAddress, connection.Number);

    private static SiloAddress GatewayAddress => Unit.Grains.Routing.FakeDestinations.Own.Gateway!;

    private static Delivery Numbered(string text, long number) => new(TestMessage.On("a", text, Qos.AtLeastOnce), Qos.AtLeastOnce, false, Sequence: number);

    private void Open(SessionLimits? limits = null, ushort[]? receipts = null, string[]? filters = null)
    {
        gateway.Manual.Bind();
        (connection, peer) = gateway.Accept();
        peer.SpeaksV5();
        connection.Speak(ProtocolVersion.V5);
        var opened = new OpenSessionResult(ReasonCode.Success, true, new SessionPlace(Far, [.. (receipts ?? []).Select(identifier => new ReservedIdentifier(identifier, identifier))], filters, LastReceiptNumber: 100));
        session = new RemoteSession(connection, Location, "c", grain, gateway.Sessions, opened, limits ?? new SessionLimits());
        connection.Accepted(
            new Broker.Gateway.Security.ClientInfo { ClientId = "c", Version = ProtocolVersion.V5, CleanStart = false, KeepAlive = 0 }, session, "");
    }

    private void Tell(params PipeItem[] items)
    {
        gateway.Sessions.Receive(items);
        gateway.Manual.RunAll();
    }

    private async Task SucceedAsync(params string[] expected)
    {
        var call = await gateway.Remote.NextAsync();
        Assert.Equal(expected, call.Commands);
        call.Succeed();
    }

    private async Task AnswerOneAsync() => (await gateway.Remote.NextAsync()).Succeed();

    /// <summary>Answers calls until the connection has left.</summary>
    private Task AnswerAllAsync() => UntilAsync(() => grain.Closed.IsCompleted, _ => false);

    /// <summary>Turns the loop, and answers calls if <paramref name="seen"/> is given, until something has come about.</summary>
    private async Task UntilAsync(Func<bool> condition, Func<string[], bool>? seen = null)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            gateway.Manual.RunAll();
            if (seen is not null && gateway.Remote.TryNext(out var call))
            {
                call.Succeed();
                if (seen(call.Commands)) return;
            }

            await Task.Yield();
        }
    }
}
