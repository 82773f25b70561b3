using System.Net;
using System.Text;
using Broker.Gateway.Security.Guard;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Broker.Gateway.Admin;

/// <summary>How a call was taken.</summary>
internal enum Admission
{
    Welcome,
    Unknown,

    /// <summary>Too many wrong secrets came from there: nothing is looked at for a while.</summary>
    TooMany,
}

/// <summary>Decides who may call the HTTP API: applications on the admin port, the dashboard's users on its port.</summary>
internal sealed class ApiAccess(Apps apps, DashboardUsers users, TimeProvider time) : IHostedService
{
    /// <summary>A wrong password of the dashboard is answered so late.</summary>
    public static readonly TimeSpan WrongPasswordDelay = TimeSpan.FromSeconds(2);
    private const int MostFailures = 20;

    /// <summary>What proxies add to a call that they pass on, beside `X-Forwarded-…`.</summary>
    private static readonly HashSet<string> ForwardingHeaders = new(["Forwarded", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Via"], StringComparer.OrdinalIgnoreCase);
    private readonly WindowCounts<IPAddress> failures = new(10_000, TimeSpan.FromMinutes(1), MostFailures, time);

    /// <summary>One call after the other is looked at of those from one place, so that a thousand guesses at once are no more than twenty.</summary>
    private readonly SemaphoreSlim[] turns = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Whether it is known who may call; before that nobody can be let in.</summary>
    public bool IsReady { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await apps.BeginAsync();
        await users.BeginAsync();
        IsReady = true;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether a call came on the dashboard's port.</summary>
    public static bool IsDashboard(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey("dashboard") == true;

    /// <returns>How the call is taken, and of whom it is; nobody if it does not say.</returns>
    public async ValueTask<(Admission Admission, string User)> AdmitAsync(HttpContext context)
    {
        if (Read(context.Request.Headers.Authorization.ToString()) is not var (name, secret)) return (Admission.Unknown, "");
        return (await AdmitAsync(context, name, secret), name);
    }

    /// <summary>Whether somebody is who it says.</summary>
    public async ValueTask<Admission> AdmitAsync(HttpContext context, string name, string secret)
    {
        var from = PlaceOf(context.Connection.RemoteIpAddress);
        var isDashboard = IsDashboard(context);
        var turn = turns[(uint)from.GetHashCode() % (uint)turns.Length];
        await turn.WaitAsync(context.RequestAborted);
        try
        {
            if (failures.Read(from) >= MostFailures) return Admission.TooMany;
            var isLocal = IsLocal(context);
            if (isDashboard ? await users.VerifyAsync(name, secret, isLocal) : await apps.VerifyAsync(name, secret, isLocal)) return Admission.Welcome;
            failures.Add(from);
        }
        finally
        {
            turn.Release();
        }

        if (isDashboard) await Task.Delay(WrongPasswordDelay, time, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Admission.Unknown;
    }

    /// <summary>Whether a call comes from this machine by itself: not through a proxy on it, and not from a page whose name was made to lead here.</summary>
    private static bool IsLocal(HttpContext context)
    {
        var (request, host) = (context.Request, context.Request.Host.Host);
        return context.Connection.RemoteIpAddress is { } from && IPAddress.IsLoopback(from)
            && !request.Headers.Keys.Any(IsForwarding)
            && (host.Length == 0 || IPAddress.TryParse(host, out _) || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsForwarding(string header) => header.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase) || ForwardingHeaders.Contains(header);

    /// <summary>Whose failures are counted together: an address, of IPv6 the network that one customer has.</summary>
    private static IPAddress PlaceOf(IPAddress? from)
    {
        if (from is null) return IPAddress.None;
        if (from.IsIPv4MappedToIPv6) return from.MapToIPv4();
        var bytes = from.GetAddressBytes();
        if (bytes.Length == 16) bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    /// <returns>Name and secret of HTTP Basic; null if it is something else.</returns>
    private static (string Name, string Secret)? Read(string header)
    {
        const string scheme = "Basic ";
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return null;
        var bytes = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[scheme.Length..].Trim(), bytes, out var count)) return null;
        var text = Encoding.UTF8.GetString(bytes, 0, count);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 ? (text[..colon], text[(colon + 1)..]) : null;
    }
}
