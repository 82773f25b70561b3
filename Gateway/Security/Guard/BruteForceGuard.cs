using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Security.Bans;
using Broker.Grains.Interfaces.Messages;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Guard;

/// <summary>Makes guessing passwords slow: who has failed often is told of the next failure later and later.</summary>
/// <remarks>
/// Thread-safe. Only refusals are delayed, so that nobody can lock out a client that has the right password: neither by failing under its name, nor from its address.
/// A success forgets the failures of its name and address; somebody who guesses at one name and succeeds under another still has the failures of the first.
/// </remarks>
internal sealed class BruteForceGuard
{
    /// <summary>Of addresses and names each.</summary>
    private const int MaxEntries = 100_000;

    /// <summary>The first delay is the longest halved so often.</summary>
    private const int Doublings = 5;

    private volatile Counts current;
    private int delayed;

    public BruteForceGuard(IOptionsMonitor<BruteForceOptions> options, TimeProvider time)
    {
        current = Make(options.CurrentValue);
        options.OnChange(changed => current = Make(changed));

        Counts Make(BruteForceOptions made) => new(made, new(MaxEntries, made.Window, made.Failures, time), new(MaxEntries, made.Window, made.Failures, time));
    }

    private sealed record Counts(BruteForceOptions Options, WindowCounts<IPNetwork> ByAddress, WindowCounts<string> ByName);

    /// <summary>How many connections wait for their refusal.</summary>
    public int Delayed => Volatile.Read(ref delayed);

    /// <summary>A client was refused by the authentication chain.</summary>
    /// <returns>How long the answer is to wait.</returns>
    public TimeSpan Failed(ClientInfo client, ReasonCode code)
    {
        var (options, byAddress, byName) = current;
        // A source that is down, or a method that does not exist, is no guess.
        if (options.Failures == 0 || code is not (ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized)) return TimeSpan.Zero;
        var count = 0;
        if (AddressOf(client) is { } address) count = byAddress.Add(address);
        if (!string.IsNullOrEmpty(client.UserName)) count = Math.Max(count, byName.Add(client.UserName));
        var over = count - options.Failures;
        return over <= 0 ? TimeSpan.Zero : new TimeSpan(options.MaxDelay.Ticks >> Math.Max(0, Doublings + 1 - over));
    }

    /// <summary>A source has vouched for a client.</summary>
    public void Succeeded(ClientInfo client)
    {
        var (options, byAddress, byName) = current;
        if (options.Failures == 0) return;
        if (AddressOf(client) is { } address) byAddress.Remove(address);
        if (!string.IsNullOrEmpty(client.UserName)) byName.Remove(client.UserName);
    }

    /// <summary>One more refusal may wait; <see cref="EndDelay"/> must follow.</summary>
    public bool TryBeginDelay()
    {
        if (Interlocked.Increment(ref delayed) <= current.Options.MaxDelayed) return true;
        EndDelay();
        return false;
    }

    public void EndDelay() => Interlocked.Decrement(ref delayed);

    /// <summary>IPv6 by its network of 64 bits, all of whose addresses one machine usually has.</summary>
    private static IPNetwork? AddressOf(ClientInfo client)
    {
        if (client.RemoteAddress is not IPEndPoint { Address: var address }) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return NetworkBans.Mask(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 64);
    }
}
