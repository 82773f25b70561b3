using Broker.Gateway.History;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Unit.Grains.Storage;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Unit.Gateway.History;

public class FlightRecorderTests
{
    private readonly ManualClock clock = new();

    [Fact]
    public void LastOnesOfTheClientsRefusedLastAreKept()
    {
        var history = Make(clients: 2, length: 3);
        for (var i = 0; i < 5; i++) history.Add("a", Numbered(i));
        history.Add("b", Numbered(0));
        history.Add("a", Numbered(5));
        history.Add("c", Numbered(0));
        Assert.Equal(["3", "4", "5"], history.Of("a").Select(one => one.Reason));
        Assert.Empty(history.Of("b"));
        Assert.Single(history.Of("c"));
    }

    [Fact]
    public void TimeIsThatOfTheRefusal()
    {
        var history = Make(10, 10);
        history.Add("a", Numbered(0));
        var then = clock.GetUtcNow();
        clock.Advance(TimeSpan.FromMinutes(1));
        history.Add("a", Numbered(1));
        Assert.Equal([then, then.AddMinutes(1)], history.Of("a").Select(one => one.At));
    }

    [Fact]
    public void NothingIsKept_WhenTurnedOff()
    {
        var history = Make(0, 10);
        history.Add("a", Numbered(0));
        Assert.Empty(history.Of("a"));
    }

    [Fact]
    public void RepetitionsAreCounted()
    {
        var history = Make(10, 2);
        history.Add("a", Numbered(0));
        var first = clock.GetUtcNow();
        for (var i = 0; i < 3; i++)
        {
            history.AddDropped("a", "t", "queue_full");
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        history.AddDropped("a", "t", "expired");
        Assert.Equal([("queue_full", 3, first, first.AddSeconds(2)), ("expired", 1, first.AddSeconds(3), first.AddSeconds(3))], history.Of("a").Select(one => (one.Reason, one.Count, one.At, one.LastAt)));
    }

    [Fact]
    public void ManyClientsKeepToTheBound()
    {
        var history = Make(16_000, 2);
        for (var i = 0; i < 100_000; i++) history.Add($"client-{i}", Numbered(i));
        Assert.InRange(Enumerable.Range(0, 100_000).Count(i => history.Of($"client-{i}").Length > 0), 10_000, 16_000);
        Assert.Single(history.Of("client-99999"));
    }

    private FlightRecorder Make(int clients, int length) => new(Options.Create(new HistoryOptions { Clients = clients, Length = length }), clock);

    private static ClientEvent Numbered(int number) => new(ClientEventKind.ConnectRefused, ReasonCode.NotAuthorized, "source") { Reason = $"{number}" };
}
