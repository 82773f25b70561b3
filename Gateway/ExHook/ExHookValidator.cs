using Broker.Gateway.Security.Sources;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.ExHook;

/// <summary>Checks every server at the start.</summary>
internal sealed class ExHookValidator : IValidateOptions<ExHookOptions>
{
    public ValidateOptionsResult Validate(string? name, ExHookOptions options)
    {
        string[] all = [.. options.Servers.SelectMany(one =>
            new SourceOptionsValidator<ExHookServerOptions>($"{ExHookOptions.Section}:Servers:{one.Key}", _ => true, 0, Faults).Validate(null, one.Value).Failures ?? [])];
        return all.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(all);
    }

    private static IEnumerable<(string Key, string Fault)> Faults(ExHookServerOptions server)
    {
        if (!Uri.TryCreate(server.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) yield return (nameof(server.Url), $" = '{server.Url}' is no http or https address");
        if (server.Tls is not ("on" or "verify")) yield return (nameof(server.Tls), $" = '{server.Tls}' is neither on nor verify");
    }
}
