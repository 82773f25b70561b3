using System.Diagnostics.Metrics;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Security.Passwords;
using Broker.Gateway.Security.Rules;
using Broker.Gateway.Security.Sources;
using Broker.Gateway.Security.Sources.Redis;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Unit.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Sources;

public class StoreAuthenticatorTests
{
    [Fact]
    public async Task ClientThatCannotBeKnownTellsNothingOfAnOutage()
    {
        var options = new RedisOptions { Server = "127.0.0.1:1", BreakAfter = 2, QueryTimeout = TimeSpan.FromMilliseconds(200), BreakTime = TimeSpan.FromMinutes(10) };
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        var guard = new SourceGuard("redis", options, new SourceInstruments(meters), TimeProvider.System, new LogRecord<SourceGuard>());
        await using var store = new RedisUserStore(options);
        Assert.True(PasswordHash.TryParse("plain", out var hash));
        var users = new StoreAuthenticator("redis", store, hash, guard, new SourceCache<StoredUser?>(1, TimeSpan.Zero, TimeProvider.System), ignoresOutages: false);
        var rules = new StoreAuthorizer("redis", store, guard, new SourceCache<RuleSet>(1, TimeSpan.Zero, TimeProvider.System), ignoresOutages: false);
        for (var i = 0; i < 2; i++) Assert.Equal(ReasonCode.ServerUnavailable, (await users.AuthenticateAsync(Client("someone"), null)).Code);
        Assert.True(guard.IsDown);
        Assert.Equal(AuthenticationVerdict.Ignore, (await users.AuthenticateAsync(Client(null), null)).Verdict);
        Assert.Equal(AuthorizationVerdict.Ignore, (await rules.AuthorizeAsync(Client(null), TopicAccess.Publish, "a")).Verdict);
        Assert.Equal(AuthorizationVerdict.Deny, (await rules.AuthorizeAsync(Client("someone"), TopicAccess.Publish, "a")).Verdict);
        Assert.True(guard.IsDown);
    }

    private static ClientInfo Client(string? userName) => new() { ClientId = "c", UserName = userName, Version = ProtocolVersion.V5, CleanStart = true, KeepAlive = 0 };
}
