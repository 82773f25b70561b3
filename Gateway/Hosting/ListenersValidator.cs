using System.Net;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Configuration;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Hosting;

/// <summary>Checks every listener at the start, in words that name key, value and what is allowed.</summary>
internal sealed class ListenersValidator : IValidateOptions<ListenersOptions>
{
    public ValidateOptionsResult Validate(string? name, ListenersOptions options)
    {
        var faults = options.SelectMany(one => Check($"{ListenersOptions.Section}:{one.Key}", one.Value)).ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Check(string section, ListenerOptions options) =>
    [
        .. Annotated(section, options), .. Annotated(section + ":Tls", options.Tls), .. Annotated(section + ":WebSocket", options.WebSocket),
        .. Related(section, options), .. options.IsSecure ? Secure(section + ":Tls", options.Tls) : [],
    ];

    private static IEnumerable<string> Annotated<T>(string section, T options)
        where T : class => new AnnotatedOptionsValidator<T>(section).Validate(null, options).Failures ?? [];

    private static IEnumerable<string> Related(string section, ListenerOptions options)
    {
        if (options.Address != "*" && !IPAddress.TryParse(options.Address, out _))
        {
            yield return $"{section}:Address = '{options.Address}' is not allowed: it must be an IP address or *.";
        }

        for (var i = 0; i < options.Access.Count; i++)
        {
            if (!AccessRules.TryParse(options.Access[i], out _))
            {
                yield return $"{section}:Access:{i} = '{options.Access[i]}' is not allowed: it must be allow or deny, and behind it all, an address or a network such as 10.0.0.0/8.";
            }
        }

        var onlyCommonName = !options.IsSecure || options.Tls.PskFile is not null;
        foreach (var (key, value) in new[] { ("IdentityAsUserName", options.IdentityAsUserName), ("IdentityAsClientId", options.IdentityAsClientId) })
        {
            if (onlyCommonName && value is not (null or "cn")) yield return $"{section}:{key} = '{value}' is not allowed: without certificates it must be cn.";
        }
    }

    private static IEnumerable<string> Secure(string section, TlsOptions options)
    {
        if (options.PskFile is null && options.Certificate is null) yield return $"{section}:Certificate = '' is not allowed: it must be a PEM file, unless PskFile is set.";
        if (options.PskFile is not null && options.Certificate is not null) yield return $"{section}:PskFile = '{options.PskFile}' is not allowed: a listener has a Certificate or a PskFile.";
        if (options.PskFile is not null && options.AsksForCertificate) yield return $"{section}:Verify = '{options.Verify}' is not allowed: with PskFile it must be none.";
        if (options.AsksForCertificate && options.CaCertificate is null) yield return $"{section}:CaCertificate = '' is not allowed: with Verify = {options.Verify} it must be a PEM file.";
        for (var i = 0; i < options.Certificates.Count; i++)
        {
            if (options.Certificates[i].Certificate is null) yield return $"{section}:Certificates:{i}:Certificate = '' is not allowed: it must be a PEM file.";
        }
    }
}
