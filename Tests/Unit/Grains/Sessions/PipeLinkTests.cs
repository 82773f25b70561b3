using System.Net;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;
using Broker.Tests.Unit.Gateway;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Grains.Sessions;

public sealed class PipeLinkTests
{
    private static readonly SiloAddress Far = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private readonly FakeGatewayService gateway = new() { Holds = true };
    private readonly FakeSilos silos = new();
    private readonly ManualClock clock = new();

    [Fact]
    public async Task SessionWaitsAndGoesOn_WhenTheGatewayIsSlow()
    {
        await using var test = await SessionFixture.OpenAsync();
        var link = Attach(test, capacity: 40);
        await test.Send("first", Qos.AtMostOnce);
        var call = await gateway.NextCallAsync();
        for (var i = 0; i < 100; i++) await test.Send($"{i}", Qos.AtMostOnce);
        Assert.Equal(10, link.Waiting);
        Assert.Equal(90, test.Session.QueueLength);
        var seen = new List<string>();
        while (seen.Count < 101)
        {
            seen.AddRange(call.Batch.Items.Select(item => TestMessage.Text(item.Delivery.Message)));
            Assert.InRange(link.Waiting, 0, 10);
            call.Answer.SetResult();
            if (seen.Count < 101) call = await gateway.NextCallAsync();
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}").Prepend("first"), seen);
        Assert.Equal(0, test.Session.QueueLength);
    }

    [Fact]
    public async Task ConnectionIsClosed_WhenWhatMustBeSaidFindsNoRoom()
    {
        await using var test = await SessionFixture.OpenAsync();
        var link = Attach(test, capacity: 4);
        await test.Send("first", Qos.AtMostOnce);
        var call = await gateway.NextCallAsync();
        var pipe = (RemotePipe)test.Session.Owner.Pipe!;
        for (var i = 0; i < 4; i++) pipe.Release((ushort)i);
        Assert.Equal(4, link.Waiting);
        pipe.Release(4);
        Assert.Equal((1ul, ReasonCode.ServerBusy), await gateway.NextClosedAsync());
        Assert.False(pipe.IsWritable);
        // From then on nothing goes out that might have a gap before it.
        call.Answer.SetResult();
        (await gateway.NextCallAsync()).Answer.SetResult();
        pipe.Release(5);
        Assert.Equal(0, link.Waiting);
    }

    [Fact]
    public async Task ConnectionsAreClosed_WhenTheGatewayDoesNotAnswerForLong()
    {
        await using var test = await SessionFixture.OpenAsync();
        Attach(test, capacity: 100);
        await test.Send("one", Qos.AtLeastOnce);
        var call = await gateway.NextCallAsync();
        call.Answer.SetException(new TimeoutException("as the test wants"));
        await clock.TimerSetAsync();
        clock.Advance(TimeSpan.FromSeconds(30));
        var again = await gateway.NextCallAsync();
        Assert.Equal((call.Batch.Link, call.Batch.Number), (again.Batch.Link, again.Batch.Number));
        again.Answer.SetException(new TimeoutException("as the test wants"));
        Assert.Equal((1ul, ReasonCode.ServerBusy), await gateway.NextClosedAsync());
    }

    [Fact]
    public async Task NothingIsRepeated_WhenTheGatewayIsDead()
    {
        await using var test = await SessionFixture.OpenAsync();
        var link = Attach(test, capacity: 100);
        await test.Send("one", Qos.AtLeastOnce);
        var call = await gateway.NextCallAsync();
        silos.KillQuietly(Far);
        call.Answer.SetException(new TimeoutException("as the test wants"));
        var pipe = (RemotePipe)test.Session.Owner.Pipe!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (pipe.IsWritable || !link.IsIdle)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await test.Send("two", Qos.AtMostOnce);
        Assert.Equal(1, test.Session.QueueLength);
    }

    private PipeLink Attach(SessionFixture test, int capacity)
    {
        var link = new PipeLink(Far, gateway, silos, clock, capacity);
        var location = new ClientLocation(Far, 1);
        test.Session.Open(new OpenSessionRequest { Location = location, CleanStart = false, ExpirySeconds = 9, Limits = new SessionLimits(), ProtocolVersion = 5 });
        Assert.True(test.Session.Owner.TryAttach(new RemotePipe(test.Session, location, link)));
        return link;
    }
}
