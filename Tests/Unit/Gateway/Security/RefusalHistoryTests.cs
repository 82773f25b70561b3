using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Unit.Grains.Storage;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security;

public class RefusalHistoryTests
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

    private RefusalHistory Make(int clients, int length) =>
        new(Options.Create(new SecurityOptions { RefusalHistoryClients = clients, RefusalHistoryLength = length }), clock);

    private static Refusal Numbered(int number) => new(RefusalKind.Connect, ReasonCode.NotAuthorized, "source") { Reason = $"{number}" };
}
