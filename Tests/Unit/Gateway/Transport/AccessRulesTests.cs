using System.Net;
using Broker.Gateway.Transport;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Transport;

public class AccessRulesTests
{
    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("10.0.0.5", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("2001:db8::1", true)]
    [InlineData("2001:db9::1", false)]
    public void FirstMatchCounts_WhenSeveralRulesMatch(string address, bool allowed)
    {
        var rules = new AccessRules(["deny 10.0.0.5", "allow 10.0.0.0/8", "allow 2001:db8::/32", "deny all"]);
        Assert.Equal(allowed, rules.Allows(new IPEndPoint(IPAddress.Parse(address), 1)));
    }

    [Fact]
    public void EverybodyMay_WhenNoRuleMatches()
    {
        Assert.True(new AccessRules([]).Allows(null));
        Assert.True(new AccessRules(["deny 10.0.0.0/8"]).Allows(new IPEndPoint(IPAddress.Loopback, 1)));
    }

    [Fact]
    public void OnlyAllMatches_WhenAddressIsUnknown() => Assert.False(new AccessRules(["allow 0.0.0.0/0", "deny all"]).Allows(null));

    [Theory]
    [InlineData("")]
    [InlineData("allow")]
    [InlineData("permit all")]
    [InlineData("allow 10.0.0.0/33")]
    [InlineData("allow host.example")]
    [InlineData("allow 10.0.0.1 10.0.0.2")]
    public void RuleIsRefused_WhenItCannotBeRead(string text) => Assert.False(AccessRules.TryParse(text, out _));
}
