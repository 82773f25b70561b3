using System.Net;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Security.Guard;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Guard;

public class BruteForceGuardTests
{
    private readonly ManualClock clock = new();
    private readonly BruteForceGuard guard;

    public BruteForceGuardTests() => guard = Make(new BruteForceOptions { Failures = 3, MaxDelay = TimeSpan.FromMilliseconds(3200), MaxDelayed = 2 });

    [Fact]
    public void DelayDoubles_WhenThereAreMoreFailuresThanAllowed() =>
        Assert.Equal([0, 0, 0, 100, 200, 400, 800, 1600, 3200, 3200], Enumerable.Range(0, 10).Select(_ => Fail("10.0.0.1", "u")));

    [Theory]
    [InlineData("10.0.0.1", "other", true)]
    [InlineData("10.0.0.2", "u", true)]
    [InlineData("10.0.0.2", "other", false)]
    [InlineData("::ffff:10.0.0.1", null, true)]
    public void NameAndAddressCountByThemselves(string address, string? user, bool delayed)
    {
        for (var i = 0; i < 3; i++) Fail("10.0.0.1", "u");
        Assert.Equal(delayed ? 100 : 0, Fail(address, user));
    }

    [Theory]
    [InlineData("2001:db8::2", true)]
    [InlineData("2001:db8:0:0:1::2", true)]
    [InlineData("2001:db8:0:1::2", false)]
    public void AddressesOfOneNetworkCountTogether_WhenTheyAreIpv6(string address, bool delayed)
    {
        for (var i = 0; i < 3; i++) Fail("2001:db8::1", null);
        Assert.Equal(delayed ? 100 : 0, Fail(address, null));
    }

    [Fact]
    public void FailuresAreForgotten_WhenTheClientSucceedsOrTimePasses()
    {
        for (var i = 0; i < 4; i++) Fail("10.0.0.1", "u");
        guard.Succeeded(Client("10.0.0.1", "u"));
        Assert.Equal(0, Fail("10.0.0.1", "u"));
        for (var i = 0; i < 3; i++) Fail("10.0.0.1", "u");
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, Fail("10.0.0.1", "u"));
    }

    [Fact]
    public void NamesFailuresStay_WhenAnotherNameSucceedsFromThere()
    {
        for (var i = 0; i < 3; i++) Fail("10.0.0.1", "victim");
        guard.Succeeded(Client("10.0.0.1", "own"));
        Assert.Equal(100, Fail("10.0.0.1", "victim"));
    }

    [Fact]
    public void OnlyGuessesCount_WhenAClientIsRefused()
    {
        for (var i = 0; i < 10; i++) Assert.Equal(TimeSpan.Zero, guard.Failed(Client("10.0.0.1", "u"), ReasonCode.ServerUnavailable));
        Assert.Equal(0, Fail("10.0.0.1", "u"));
    }

    [Fact]
    public void NothingIsDelayed_WhenItIsOff()
    {
        var off = Make(new BruteForceOptions { Failures = 0 });
        for (var i = 0; i < 100; i++) Assert.Equal(TimeSpan.Zero, off.Failed(Client("10.0.0.1", "u"), ReasonCode.NotAuthorized));
    }

    [Fact]
    public void NoMoreAreDelayedThanAllowed()
    {
        Assert.True(guard.TryBeginDelay());
        Assert.True(guard.TryBeginDelay());
        Assert.False(guard.TryBeginDelay());
        Assert.Equal(2, guard.Delayed);
        guard.EndDelay();
        Assert.True(guard.TryBeginDelay());
    }

    private BruteForceGuard Make(BruteForceOptions options) => new(Fixed.Options(options), clock);

    private double Fail(string address, string? user) => guard.Failed(Client(address, user), ReasonCode.BadUserNameOrPassword).TotalMilliseconds;

    private static ClientInfo Client(string address, string? user) => new()
    {
        ClientId = "c",
        UserName = user,
        Version = ProtocolVersion.V5,
        CleanStart = true,
        KeepAlive = 0,
        RemoteAddress = new IPEndPoint(IPAddress.Parse(address), 1000),
    };
}
