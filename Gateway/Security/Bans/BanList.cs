using System.Diagnostics.CodeAnalysis;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Security.Bans;

/// <summary>Bans for the whole cluster: kept as records, known in every process, gone by themselves when they end.</summary>
internal sealed class BanList(RecordFeed records, BanTable table) : IBanList
{
    /// <inheritdoc/>
    /// <exception cref="FormatException">The address is none.</exception>
    /// <exception cref="RecordsUnavailableException">The store takes no changes now.</exception>
    public async ValueTask BanAsync(Ban ban)
    {
        if (ban.Kind == BanKind.Address && !NetworkBans.TryParse(ban.Who, out _)) throw new FormatException($"'{ban.Who}' is neither an address nor a network.");
        await records.WriteAsync(table.Put(BanTable.KeyOf(ban.Kind, ban.Who), ban, expiresAt: ban.Until.ToUnixTimeMilliseconds()));
    }

    /// <inheritdoc/>
    /// <exception cref="RecordsUnavailableException">The store takes no changes now.</exception>
    public async ValueTask<bool> UnbanAsync(BanKind kind, string who) => (await records.WriteAsync(table.Delete(BanTable.KeyOf(kind, who))))[0] == RecordOutcome.Done;

    /// <inheritdoc/>
    public bool IsBanned(ClientInfo client, [NotNullWhen(true)] out Ban? ban) => table.IsBanned(client, out ban);
}
