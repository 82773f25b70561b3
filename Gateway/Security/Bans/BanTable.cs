using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json.Serialization;
using Broker.Gateway.Records;

namespace Broker.Gateway.Security.Bans;

/// <summary>The cluster's bans, as this process knows them.</summary>
internal sealed class BanTable(TimeProvider time) : RecordTable<Ban>("ban", BanJson.Default.Ban)
{
    private readonly Lock gate = new();
    private readonly NetworkBans byNetwork = new();

    /// <summary>A ban's key in the store.</summary>
    public static string KeyOf(BanKind kind, string who) => $"{kind}/{who}";

    /// <inheritdoc cref="IBanList.IsBanned"/>
    public bool IsBanned(ClientInfo client, [NotNullWhen(true)] out Ban? ban)
    {
        ban = null;
        if (Count == 0) return false;
        var now = time.GetUtcNow();
        if (Find(KeyOf(BanKind.ClientId, client.ClientId)) is { Value: var byId } && byId.Until > now) ban = byId;
        else if (client.UserName is { } user && Find(KeyOf(BanKind.UserName, user)) is { Value: var byName } && byName.Until > now) ban = byName;
        if (ban is not null) return true;
        lock (gate) return client.RemoteAddress is IPEndPoint from && byNetwork.TryFind(from.Address, now, out ban);
    }

    protected override string? FaultOf(string key, Ban value) =>
        value is not { Who: not null, By: not null, Reason: not null } ? "a member is missing"
        : key != KeyOf(value.Kind, value.Who) ? "the key is another ban's"
        : value.Kind == BanKind.Address && !NetworkBans.TryParse(value.Who, out _) ? $"'{value.Who}' is no address" : null;

    protected override void Changed(Entry? before, Entry? after)
    {
        if ((after ?? before)!.Value.Kind != BanKind.Address) return;
        lock (gate)
        {
            if (before is not null) byNetwork.Remove(before.Value);
            if (after is not null && NetworkBans.TryParse(after.Value.Who, out var network)) byNetwork.Set(network, after.Value);
        }
    }
}

[JsonSerializable(typeof(Ban))]
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
internal sealed partial class BanJson : JsonSerializerContext;
