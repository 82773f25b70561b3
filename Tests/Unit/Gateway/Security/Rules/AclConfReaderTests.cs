using Broker.Gateway.Security;
using Broker.Gateway.Security.Rules;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Rules;

public class AclConfReaderTests
{
    [Theory]
    [InlineData("{allow, all}.", true)]
    [InlineData("%% comment\n{deny, all}. % and behind", false)]
    [InlineData("{allow, all, publish, [\"t\"]}.", true)]
    [InlineData("{allow, all, publish, \"t\"}.", true)]
    [InlineData("{allow, all, publish, [<<\"t\">>]}.", true)]
    [InlineData("{allow, all, publish, []}.", null)]
    [InlineData("{allow, all, subscribe, [\"t\"]}.", null)]
    [InlineData("{deny, all, pubsub, [\"x\", \"+\"]}.", false)]
    [InlineData("{deny, all, publish, [{eq, \"+\"}]}.", null)]
    [InlineData("{allow, {user, \"user\"}, publish, [\"t\"]}.", true)]
    [InlineData("{allow, {user, \"other\"}, publish, [\"t\"]}.", null)]
    [InlineData("{allow, {user, all}, publish, [\"t\"]}.", true)]
    [InlineData("{allow, {client, \"id\"}, publish, [\"t\"]}.", true)]
    [InlineData("{allow, {clientid, \"id\"}, publish, [\"t\"]}.", true)]
    [InlineData("{allow, {ipaddr, \"127.0.0.0/8\"}, publish, [\"t\"]}.", true)]
    [InlineData("{allow, {ipaddrs, [\"10.0.0.1\", \"127.0.0.1\"]}, publish, [\"t\"]}.", true)]
    [InlineData("{allow, {'and', [{user, \"user\"}, {client, \"x\"}]}, publish, [\"t\"]}.", null)]
    [InlineData("{allow, {'or', [{user, \"user\"}, {client, \"x\"}]}, publish, [\"t\"]}.", true)]
    [InlineData("{allow, {'and', []}, publish, [\"t\"]}.", true)]
    [InlineData("{allow, {'or', []}, publish, [\"t\"]}.", null)]
    [InlineData("{deny, {client, \"x\"}, publish, [\"t\"]}.\n{allow, all}.", true)]
    [InlineData("", null)]
    public void FirstRuleThatMatchesDecides(string text, bool? expected)
    {
        var result = AclConfReader.Read(text).Match(Clients.Of(), TopicAccess.Publish, "t");
        Assert.Equal(expected, result.Verdict == AuthorizationVerdict.Ignore ? null : result.Verdict == AuthorizationVerdict.Allow);
    }

    [Theory]
    [InlineData("{allow, all}", "line 1: the file ends where '.' was expected")]
    [InlineData("\n\n{allow, all", "line 3: the file ends where ',' was expected")]
    [InlineData("{allow", "line 1: the file ends where ',' was expected")]
    [InlineData("{permit, all}.", "line 1: permit where allow or deny was expected")]
    [InlineData("{allow, all, write, []}.", "line 1: write where publish, subscribe or pubsub was expected")]
    [InlineData("{allow, nobody, publish, [\"t\"]}.", "line 1: nobody where all,")]
    [InlineData("{allow, {ipaddr, \"x\"}, publish, [\"t\"]}.", "line 1: \"x\" where an address")]
    [InlineData("{allow, all, publish, [t]}.", "line 1: t where \"topic\" or {eq, \"topic\"} was expected")]
    [InlineData("{allow, all, publish, [\"#/a\"]}.", "line 1: '#/a' is no topic filter")]
    [InlineData("[allow].", "line 1: [allow] where {allow|deny, all}")]
    [InlineData("{allow, all, publish, [\"t]}.", "line 1: the file ends within \"")]
    [InlineData("?", "line 1: '?' where a term was expected")]
    public void BadTermIsNamed(string text, string message) =>
        Assert.StartsWith(message, Assert.Throws<RuleFormatException>(() => AclConfReader.Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void NestingIsBounded() => Assert.Throws<RuleFormatException>(() => AclConfReader.Read(new string('{', 100_000)));

    [Fact]
    public void RandomTextIsReadOrRefused()
    {
        var random = new Random(5);
        string[] pieces = ["{", "}", "[", "]", "\"", "'", "allow", "all", ",", ".", "publish", "<<", ">>", "%", "\n", " ", "\\", "1", "\"t\""];
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                AclConfReader.Read(text);
            }
            catch (RuleFormatException)
            {
                // Said what is wrong.
            }
        }
    }

    [Fact]
    public void SamplesOfBothFormatsSayTheSame()
    {
        var folder = Path.Combine(SourceTree.Root, "deploy", "access");
        var (own, theirs) = (FileAuthorizer.Load(Path.Combine(folder, "access.rules")), FileAuthorizer.Load(Path.Combine(folder, "acl.conf")));
        Assert.Equal(own.Count, theirs.Count);
        foreach (var client in new[] { Clients.Of(), Clients.Of(user: "dashboard", address: "10.0.0.1"), Clients.Of(address: "10.0.0.1") })
        {
            foreach (var topic in new[] { "#", "+/#", "$SYS/#", "$SYS/brokers", "a/b" })
            {
                foreach (var access in Enum.GetValues<TopicAccess>()) Assert.Equal(own.Match(client, access, topic).Verdict, theirs.Match(client, access, topic).Verdict);
            }
        }

        Assert.Equal(AuthorizationVerdict.Deny, own.Match(Clients.Of(address: "10.0.0.1"), TopicAccess.Subscribe, "#").Verdict);
        Assert.Equal(AuthorizationVerdict.Allow, own.Match(Clients.Of(user: "dashboard", address: "10.0.0.1"), TopicAccess.Subscribe, "$SYS/#").Verdict);
        Assert.Equal(AuthorizationVerdict.Allow, own.Match(Clients.Of(address: "10.0.0.1"), TopicAccess.Publish, "a").Verdict);
    }
}
