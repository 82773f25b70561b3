using System.Diagnostics.CodeAnalysis;

namespace Broker.Gateway.Security.Bans;

/// <summary>Who may not connect for a while, whatever they can prove.</summary>
internal interface IBanList
{
    /// <summary>Bans; a ban of the same client is replaced. A connection that is there stays.</summary>
    ValueTask BanAsync(Ban ban);

    /// <summary>Lifts a ban.</summary>
    /// <returns>False if there was none.</returns>
    ValueTask<bool> UnbanAsync(BanKind kind, string who);

    /// <summary>Whether a client is banned now. The way of every CONNECT, on an event loop: must not block.</summary>
    bool IsBanned(ClientInfo client, [NotNullWhen(true)] out Ban? ban);
}

/// <summary>What of a client a ban is about. Names follow EMQ X's `clientid`, `username` and `peerhost`.</summary>
internal enum BanKind
{
    ClientId,
    UserName,

    /// <summary>An IP address, or a network (CIDR).</summary>
    Address,
}

/// <summary>One ban.</summary>
/// <param name="Who">The client identifier, user name, or address.</param>
/// <param name="By">Who banned: an operator, or a part of the broker.</param>
/// <param name="Until">From then on it does not hold.</param>
internal sealed record Ban(BanKind Kind, string Who, string By, string Reason, DateTimeOffset At, DateTimeOffset Until);
