using System.Net;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;
using Broker.Tests.Unit.Gateway;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Tests.Unit.Grains.Sessions;

/// <summary>Durable sessions as connections in other processes use them.</summary>
public sealed class RemoteConnectionsTests : IAsyncLifetime
{
    private static readonly SiloAddress Far = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress Farther = SiloAddress.New(IPAddress.Loopback, 2, 1);
    private readonly LocalSessions sessions = new();
    private readonly FakeGatewayService gateway = new();
    private readonly FakeSilos silos = new();
    private PipeLinks links = null!;
    private RemoteConnections connections = null!;
    private SessionFixture test = null!;

    public async ValueTask InitializeAsync()
    {
        links = new PipeLinks(sessions, gateway, silos, TimeProvider.System);
        connections = new RemoteConnections(sessions, links, NullLogger<RemoteConnections>.Instance);
        test = await SessionFixture.OpenAsync();
        sessions.Open(test.Session);
    }

    public ValueTask DisposeAsync() => test.DisposeAsync();

    [Fact]
    public async Task ConnectionIsToldInOrder_WhenItIsAttached()
    {
        Open(1);
        Execute(1, SessionCommandKind.Attach);
        await test.Send("one", Qos.AtLeastOnce);
        await test.Send("two", Qos.AtMostOnce);
        Assert.Equal(["1: Publish #1 one", "1: Publish two"], await gateway.NextAsync(2));
        Execute(1, SessionCommandKind.Acknowledge, 1);
        Execute(1, SessionCommandKind.Receive, 77);
        Assert.Equal("1: Unknown 77", await gateway.NextAsync());
        await test.Send("three", Qos.ExactlyOnce);
        Assert.Equal("1: Publish #2 three", await gateway.NextAsync());
        Execute(1, SessionCommandKind.Receive, 2);
        Assert.Equal("1: Release 2", await gateway.NextAsync());
        Execute(1, SessionCommandKind.Complete, 2);
        Open(2);
        Assert.Equal("1: Close 0 8E", await gateway.NextAsync());
        Execute(2, SessionCommandKind.Attach);
        await test.Send("four", Qos.AtMostOnce);
        Assert.Equal("2: Publish four", await gateway.NextAsync()); // nothing is left to be repeated
    }

    [Fact]
    public async Task LateCommandsOfTheOlderDoNothing_WhenTheSessionWasTakenOver()
    {
        Open(1);
        Execute(1, SessionCommandKind.Attach);
        await test.Send("one", Qos.AtLeastOnce);
        Assert.Equal("1: Publish #1 one", await gateway.NextAsync());
        Open(2, Farther);
        Assert.Equal("1: Close 0 8E", await gateway.NextAsync());
        foreach (var kind in Enum.GetValues<SessionCommandKind>().Except([SessionCommandKind.DeliverRetained]))
        {
            Assert.Equal([new RefusedConnection(1, ReasonCode.SessionTakenOver)], Ask(1, kind, 1));
        }

        Execute(2, SessionCommandKind.Attach, from: Farther);
        Assert.Equal("2: Repeat #1 one", await gateway.NextAsync());
        // The same number in another process is another connection.
        Assert.Equal([new RefusedConnection(2, ReasonCode.SessionTakenOver)], Ask(2, SessionCommandKind.Acknowledge, 1));
        Assert.Equal([new RefusedConnection(1, ReasonCode.SessionTakenOver)], Ask(1, SessionCommandKind.Attach));
        Assert.Equal([new RefusedConnection(1, ReasonCode.SessionTakenOver)], Ask(1, SessionCommandKind.Detach));
        await test.Send("two", Qos.AtMostOnce);
        Assert.Equal("2: Publish two", await gateway.NextAsync());
    }

    [Fact]
    public async Task NothingIsSentAndNobodyMayAttach_WhenTheConnectionHasLeft()
    {
        Open(1);
        Execute(1, SessionCommandKind.Attach);
        test.Session.Owner.Leave(new ClientLocation(Far, 1));
        await test.Send("one", Qos.AtLeastOnce);
        Assert.Equal([new RefusedConnection(1, ReasonCode.SessionTakenOver)], Ask(1, SessionCommandKind.Attach));
        Open(2);
        test.Session.Owner.Leave(new ClientLocation(Far, 1)); // late
        Execute(2, SessionCommandKind.Attach);
        Assert.Equal("2: Publish #1 one", await gateway.NextAsync());
    }

    [Fact]
    public async Task ConnectionIsRefused_WhenTheSessionIsNotHere()
    {
        Open(1);
        Execute(1, SessionCommandKind.Attach);
        test.Session.Close(ReasonCode.ServerShuttingDown);
        Assert.Equal("1: Close 0 8B", await gateway.NextAsync());
        Assert.Equal([new RefusedConnection(1, ReasonCode.SessionTakenOver)], Ask(1, SessionCommandKind.Acknowledge, 1));
        sessions.Close(test.Session);
        Assert.Equal([new RefusedConnection(1, ReasonCode.ServerShuttingDown)], Ask(1, SessionCommandKind.Acknowledge, 1));
        Assert.Equal([new RefusedConnection(1, ReasonCode.ServerShuttingDown)], Ask(1, SessionCommandKind.Attach));
    }

    [Fact]
    public async Task RestWaitsInTheQueue_WhenTheClientTakesNothing()
    {
        await using var other = await SessionFixture.OpenAsync();
        var otherSession = SessionFixture.Make("other", await other.Test.OpenSessionAsync("other"), other.Test);
        sessions.Open(otherSession);
        Open(1);
        Execute(1, SessionCommandKind.Attach);
        Open(2, session: otherSession);
        connections.Execute(Far, [new SessionCommand("other", 2, SessionCommandKind.Attach)]);
        var weight = DeliveryWindow.WeightOf(new Delivery(TestMessage.On("a", "0000"), Qos.AtMostOnce, false));
        var most = (DeliveryWindow.Size + weight - 1) / weight;
        for (var i = 0; i < 1000; i++) await test.Send($"{i:D4}", Qos.AtMostOnce);
        for (var i = 0; i < most; i++) Assert.Equal($"1: Publish {i:D4}", await gateway.NextAsync());
        Assert.Equal(1000 - most, test.Session.QueueLength);
        // QoS 1 waits as well, and another client of the same gateway does not.
        await test.Send("last", Qos.AtLeastOnce);
        await SessionFixture.Send(otherSession, "quick", Qos.AtMostOnce);
        Assert.Equal("2: Publish quick", await gateway.NextAsync());
        // The client has taken a quarter.
        Execute(1, SessionCommandKind.Credit, number: most / 4 * weight);
        for (var i = most; i < most + most / 4; i++) Assert.Equal($"1: Publish {i:D4}", await gateway.NextAsync());
        while (test.Session.QueueLength > 0) Execute(1, SessionCommandKind.Credit, number: most / 4 * weight);
        for (var i = most + most / 4; i < 1000; i++) Assert.Equal($"1: Publish {i:D4}", await gateway.NextAsync());
        Assert.Equal($"1: Publish #{1000 - most + 1} last", await gateway.NextAsync());
    }

    [Fact]
    public async Task AnswersComeWhenStored_WhenIdentifiersAreReservedAndFreed()
    {
        test.Session.Open(Request(1) with { Limits = new SessionLimits { MaxAwaitingRelease = 1 } });
        Execute(1, SessionCommandKind.Attach);
        Execute(1, SessionCommandKind.StoreReceipt, 5, number: 1);
        Assert.Equal("1: Answer 1", await gateway.NextAsync());
        Execute(1, SessionCommandKind.StoreReceipt, 5, number: 2); // a repetition
        Assert.Equal("1: Answer 2", await gateway.NextAsync());
        Execute(1, SessionCommandKind.StoreReceipt, 6, number: 3);
        Assert.Equal("1: Answer 3", await gateway.NextAsync()); // the connection keeps the bound
        Assert.Equal([5, 6], test.Session.PlaceAt(Far, false).Receipts.Select(receipt => (int)receipt.PacketIdentifier).Order());
        Execute(1, SessionCommandKind.RemoveReceipt, 5, number: 4);
        Assert.Equal("1: Answer 4", await gateway.NextAsync());
        Execute(1, SessionCommandKind.RemoveReceipt, 5, number: 5); // freed already: nothing is to be done
        Assert.Equal("1: Answer 5", await gateway.NextAsync());
        Assert.Equal([6], test.Session.PlaceAt(Far, false).Receipts.Select(receipt => (int)receipt.PacketIdentifier));
    }

    [Fact]
    public async Task QueueLengthIsToldUntilItIsEmpty_WhenTheGatewayAsks()
    {
        test.Session.Open(Request(1) with { Limits = new SessionLimits { MaxInflight = 1 } });
        Execute(1, SessionCommandKind.Attach);
        for (var i = 0; i < 3; i++) await test.Send($"{i}", Qos.AtLeastOnce);
        Assert.Equal("1: Publish #1 0", await gateway.NextAsync());
        Execute(1, SessionCommandKind.TellQueueLength);
        Assert.Equal("1: QueueLength -2", await gateway.NextAsync());
        connections.Execute(Far, [Retained(), Retained()]);
        Assert.Equal("1: QueueLength -2", await gateway.NextAsync()); // two more handed over, two more wait
        for (ushort id = 1; id < 5; id++)
        {
            Execute(1, SessionCommandKind.Acknowledge, id);
            Assert.StartsWith($"1: Publish #{id + 1} ", await gateway.NextAsync(), StringComparison.Ordinal);
            Assert.Equal($"1: QueueLength {id - 2}", await gateway.NextAsync());
        }

        Execute(1, SessionCommandKind.Acknowledge, 5);
        await test.Send("end", Qos.AtMostOnce);
        Assert.Equal("1: Publish end", await gateway.NextAsync());
    }

    [Fact]
    public async Task ClientsAreAway_WhenTheirGatewayIsDead()
    {
        Open(1);
        Execute(1, SessionCommandKind.Attach);
        silos.Kill(Farther);
        Assert.NotNull(test.Session.Owner.Pipe);
        silos.Kill(Far);
        Assert.Null(test.Session.Owner.Pipe);
        await test.Send("one", Qos.AtLeastOnce);
        Open(2, Farther);
        Execute(2, SessionCommandKind.Attach, from: Farther);
        Assert.Equal("2: Publish #1 one", await gateway.NextAsync());
    }

    private static SessionCommand Retained() => new(
        "c", 1, SessionCommandKind.DeliverRetained, Message: TestMessage.On("a", "retained", Qos.AtLeastOnce), Options: new SubscriptionOptions(Qos.AtLeastOnce));

    private static OpenSessionRequest Request(ulong connection, SiloAddress? from = null) => new()
    {
        Location = new ClientLocation(from ?? Far, connection),
        CleanStart = false,
        ExpirySeconds = 100,
        Limits = new SessionLimits(),
        ProtocolVersion = 5,
    };

    private void Open(ulong connection, SiloAddress? from = null, DurableSession? session = null) => (session ?? test.Session).Open(Request(connection, from));

    private RefusedConnection[] Ask(ulong connection, SessionCommandKind kind, ushort id = 0, long number = 0, SiloAddress? from = null) =>
        connections.Execute(from ?? Far, [new SessionCommand("c", connection, kind, id, Number: number)]);

    private void Execute(ulong connection, SessionCommandKind kind, ushort id = 0, long number = 0, SiloAddress? from = null) =>
        Assert.Empty(Ask(connection, kind, id, number, from));
}
