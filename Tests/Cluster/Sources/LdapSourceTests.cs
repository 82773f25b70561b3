using System.Globalization;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Transport;
using Broker.Tests.Unit;
using Microsoft.Extensions.Options;
using Xunit;
using static Broker.Tests.Cluster.Sources.SourceBroker;

namespace Broker.Tests.Cluster.Sources;

public sealed class LdapSourceTests : SourceContract
{
    private const string Others = """

        dn: uid=off,ou=device,dc=emqx,dc=io
        objectClass: mqttDevice
        objectClass: mqttUser
        objectClass: mqttSecurity
        uid: off
        isEnabled: FALSE
        userPassword: public

        dn: uid=a\2Cb\, \C3\A9,ou=device,dc=emqx,dc=io
        objectClass: mqttDevice
        objectClass: mqttUser
        objectClass: mqttSecurity
        uid:: YSxiLCDDqQ==
        userPassword: {SHA}4JlqN8E9RMOwYHSTnUP6N1m9MsE=
        userPassword: second

        dn: uid=other,ou=device,dc=emqx,dc=io
        objectClass: mqttDevice
        objectClass: mqttSecurity
        uid: other
        userPassword: public

        dn: uid=parent,ou=device,dc=emqx,dc=io
        objectClass: mqttDevice
        objectClass: mqttUser
        objectClass: mqttSecurity
        uid: parent
        userPassword: public

        dn: uid=child,uid=parent,ou=device,dc=emqx,dc=io
        objectClass: mqttDevice
        objectClass: mqttUser
        objectClass: mqttSecurity
        uid: child
        userPassword: public

        """;

    private LdapServer server = null!;

    protected override string Section => "Security:Ldap";

    protected override string OwnTopic => "shared/x";

    protected override Dictionary<string, string?> Connection => new() { ["Server"] = Address(server.Port), ["Password"] = LdapServer.Password };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EntriesAreUsers(bool bindAsUser)
    {
        await using var broker = await OpenAsync(("BindAsUser", bindAsUser.ToString()));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "emqx", "public"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "emqx", ""));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "off", "public"));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, "other", "public")); // it is no mqttUser
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "a,b, é", "first"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "a,b, é", "second"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "a,b, é", "{SHA}4JlqN8E9RMOwYHSTnUP6N1m9MsE="));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "parent", "public")); // which of the two entries is it?
    }

    [Fact]
    public async Task EntriesAreUsers_WhenTheyHaveNoRules()
    {
        await using var broker = await OpenAsync(("KnowsRules", "false"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "emqx", "public"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "emqx", "wrong"));
    }

    [Fact]
    public async Task FiltersTakeThePlaceOfTheClass()
    {
        await using var broker = await OpenAsync(
            ("Filters:0:Key", "uid"), ("Filters:0:Value", "other"), ("Filters:0:Op", "or"), ("Filters:1:Key", "uid"), ("Filters:1:Value", "off"), ("Filters:2:Key", "isEnabled"), ("Filters:2:Value", "FALSE"));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, "other", "public")); // (other or off) and not enabled
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "off", "public"));
    }

    [Theory]
    [InlineData("reports/emqx", false, true)]
    [InlineData("commands/emqx/a", true, false)]
    [InlineData("shared/x", true, true)]
    [InlineData("shared/x/y", false, false)]
    public async Task AttributesAreRules(string topic, bool subscribe, bool publish)
    {
        await using var broker = await OpenAsync(("Security:NoMatch", "deny"));
        await using var client = await LogInAsync(broker, "id", "emqx", "public");
        Assert.Equal((subscribe, publish), await MayAsync(client, topic));
    }

    [Fact]
    public async Task ServerMustBeTheRightOne_WhenItIsVerified()
    {
        using var certificates = new TestCertificates();
        using var strangers = new TestCertificates("Other CA");
        using var signed = certificates.Sign("server", "CN=ldap", "localhost", rsa: true);
        await using var secure = await LdapServer.StartNewAsync(
            await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "deploy", "access", "mqtt.ldif"), TestContext.Current.CancellationToken),
            (certificates.FileOf("server.pem"), certificates.FileOf("server.key"), certificates.Authority));
        var address = string.Create(CultureInfo.InvariantCulture, $"localhost:{secure.TlsPort}");
        foreach (var (tls, authority, answer) in new[]
        {
            ("verify", certificates.Authority, ReasonCode.Success), ("verify", strangers.Authority, ReasonCode.ServerUnavailable), ("verify", "", ReasonCode.ServerUnavailable), ("on", "", ReasonCode.Success),
        })
        {
            await using var broker = await OpenAsync(("Server", address), ("Tls", tls), ("CaFile", authority));
            Assert.Equal((tls, authority, answer), (tls, authority, await ConnectAsync(broker, "emqx", "public")));
        }
    }

    [Fact]
    public async Task NextServerIsAsked_WhenTheFirstIsGone()
    {
        await using var broker = await OpenAsync(("Server", $"{Address(FreePorts.Find())},{Address(server.Port)}"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "emqx", "public"));
    }

    [Theory]
    [InlineData("BaseDn", "ou=device", ":BaseDn = 'ou=device' does not name the user")]
    [InlineData("Filters:0:Key", "uid", ":Filters:0:Value is empty")]
    [InlineData("Filters:0:Op", "not", ":Filters:0:Op = 'not' is neither and nor or")]
    [InlineData("PasswordFile", "/nowhere/at/all", ":PasswordFile = /nowhere/at/all: there is no such file")]
    public async Task BadSearchesStopTheStart(string key, string value, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => OpenAsync((key, value)));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    protected override async Task CreateAsync() => server = await LdapServer.StartNewAsync(await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "deploy", "access", "mqtt.ldif")) + Others);

    protected override Task KillAsync() => server.KillAsync();

    protected override Task StartAsync() => server.StartAsync();

    protected override void Freeze() => server.Freeze();

    protected override void Thaw() => server.Thaw();

    protected override ValueTask RemoveAsync() => server?.DisposeAsync() ?? default;

    private static string Address(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
}
