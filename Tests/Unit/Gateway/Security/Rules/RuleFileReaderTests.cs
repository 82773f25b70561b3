using Broker.Gateway.Security;
using Broker.Gateway.Security.Rules;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Rules;

public class RuleFileReaderTests
{
    [Theory]
    [InlineData("allow all", "id", "user", "127.0.0.1", true)]
    [InlineData("deny all", "id", "user", "127.0.0.1", false)]
    [InlineData("allow all pubsub t", "id", "user", "127.0.0.1", true)]
    [InlineData("allow all subscribe t", "id", "user", "127.0.0.1", null)]
    [InlineData("allow user user publish x t", "id", "user", "127.0.0.1", true)]
    [InlineData("allow user user publish x", "id", "user", "127.0.0.1", null)]
    [InlineData("allow user user publish t", "id", "other", "127.0.0.1", null)]
    [InlineData("allow user user publish t", "id", null, "127.0.0.1", null)]
    [InlineData("allow client id publish t", "id", null, "127.0.0.1", true)]
    [InlineData("allow client user publish t", "id", "user", "127.0.0.1", null)]
    [InlineData("allow address 10.0.0.0/8 publish t", "id", "user", "10.1.2.3", true)]
    [InlineData("allow address 10.0.0.0/8 publish t", "id", "user", "::ffff:10.1.2.3", true)]
    [InlineData("allow address 10.0.0.7/8,::1 publish t", "id", "user", "10.1.2.3", true)]
    [InlineData("allow address 10.0.0.0/8,::1 publish t", "id", "user", "::1", true)]
    [InlineData("allow address 10.0.0.0/8,::1 publish t", "id", "user", "11.1.2.3", null)]
    [InlineData("allow address 10.1.2.3 publish t", "id", "user", "10.1.2.4", null)]
    [InlineData("allow user user and client id publish t", "id", "user", "127.0.0.1", true)]
    [InlineData("allow user user and client id publish t", "id", "other", "127.0.0.1", null)]
    [InlineData("allow user user or client id publish t", "id", "other", "127.0.0.1", true)]
    [InlineData("allow user \"and\" publish t", "id", "and", "127.0.0.1", true)]
    [InlineData("allow user \"a b\\\"\\\\\" publish \"t\"", "id", "a b\"\\", "127.0.0.1", true)]
    [InlineData("\t deny  all\tpublish  t \r", "id", "user", "127.0.0.1", false)]
    [InlineData("deny all publish eq:t", "id", "user", "127.0.0.1", false)]
    [InlineData("deny all publish eq:+", "id", "user", "127.0.0.1", null)]
    [InlineData("# deny all\n\nallow all\ndeny all", "id", "user", "127.0.0.1", true)]
    [InlineData("deny client other publish t\nallow all", "id", "user", "127.0.0.1", true)]
    public void FirstRuleThatMatchesDecides(string text, string id, string? user, string address, bool? expected)
    {
        var result = RuleFileReader.Read(text).Match(Clients.Of(id, user, address), TopicAccess.Publish, "t");
        Assert.Equal(
            expected switch
            {
                true => AuthorizationVerdict.Allow,
                false => AuthorizationVerdict.Deny,
                null => AuthorizationVerdict.Ignore,
            },
            result.Verdict);
    }

    [Fact]
    public void RuleIsNamedAsItIsWritten() =>
        Assert.Equal("deny all publish t/#", RuleFileReader.Read("  deny all publish t/#  ").Match(Clients.Of(), TopicAccess.Publish, "t").Rule);

    [Theory]
    [InlineData("permit all", "line 1: 'permit' where 'allow' or 'deny' was expected")]
    [InlineData("\nallow", "line 2: the line ends where 'all', 'user', 'client' or 'address' was expected")]
    [InlineData("allow everybody", "line 1: 'everybody' where 'all', 'user', 'client' or 'address' was expected")]
    [InlineData("allow user u", "line 1: the line ends where 'publish', 'subscribe' or 'pubsub' was expected")]
    [InlineData("allow user publish t", "line 1: 'publish' where a user name was expected: put it in quotes if that is one")]
    [InlineData("allow all write t", "line 1: 'write' where 'publish', 'subscribe' or 'pubsub' was expected")]
    [InlineData("allow all publish", "line 1: the line ends where a topic was expected")]
    [InlineData("allow all publish a/#/b", "line 1: 'a/#/b' is no topic filter")]
    [InlineData("allow address 10.0.0.0/33 publish t", "line 1: '10.0.0.0/33' is no address and no network such as 10.0.0.0/8")]
    [InlineData("allow user a and user b or user c publish t", "line 1: 'and' and 'or' in one rule: write two rules")]
    [InlineData("allow user \"a publish t", "line 1: a quote is not closed")]
    public void BadLineIsNamed(string text, string message) => Assert.Equal(message, Assert.Throws<RuleFormatException>(() => RuleFileReader.Read(text)).Message);
}
