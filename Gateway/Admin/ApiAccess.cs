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
    private readonly WindowCounts<IPAddress> failures = new(10_000, TimeSpan.FromMinutes(1), MostFailures, time);

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

    /// <returns>How the call is taken, and of whom it is.</returns>
    public async ValueTask<(Admission Admission, string User)> AdmitAsync(HttpContext context)
    {
        if (Read(context.Request.Headers.Authorization.ToString()) is not var (name, secret)) return (Admission.Unknown, "");
        return (await AdmitAsync(context, name, secret), name);
    }

    /// <summary>Whether somebody is who it says.</summary>
    public async ValueTask<Admission> AdmitAsync(HttpContext context, string name, string secret)
    {
        var from = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (failures.Read(from) >= MostFailures) return Admission.TooMany;
        var isDashboard = IsDashboard(context);
        if (isDashboard ? await users.VerifyAsync(name, secret, from) : await apps.VerifyAsync(name, secret, from)) return Admission.Welcome;
        failures.Add(from);
        if (isDashboard) await Task.Delay(WrongPasswordDelay, time, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Admission.Unknown;
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
