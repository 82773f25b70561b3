using Broker.Gateway.Hosting;
using Broker.Gateway.Mqtt.Limits;
using Broker.Gateway.Security;
using Broker.Gateway.Transport.Tls;

namespace Broker.Gateway.Transport;

/// <summary>One listener's options with what has been read from files for them. One instance for all connections that it accepts until its options change.</summary>
internal sealed class ListenerSetup
{
    /// <exception cref="Broker.Grains.Interfaces.Configuration.StartException">A file cannot be read.</exception>
    /// <param name="before">What the listener was until its options changed.</param>
    public ListenerSetup(string name, ListenerOptions options, ClientRates? rates = null, ListenerInfo? before = null)
    {
        (Options, Rates) = (options, rates);
        Info = new ListenerInfo(name, before) { Mountpoint = options.Mountpoint, Authenticates = options.Authentication };
        Access = new AccessRules(options.Access);
        if (!options.IsSecure) return;
        var section = $"{ListenersOptions.Section}:{name}:Tls";
        if (options.Tls.PskFile is { } file) Psk = new PskKeys(section, file);
        else Tls = new TlsContext(section, options.Tls);
    }

    public ListenerOptions Options { get; }

    public ListenerInfo Info { get; }

    public AccessRules Access { get; }

    /// <summary>What each of its clients may send; null if that is not limited.</summary>
    public ClientRates? Rates { get; }

    /// <summary>Set if it speaks TLS with certificates.</summary>
    public TlsContext? Tls { get; }

    /// <summary>Set if it speaks TLS with pre-shared keys.</summary>
    public PskKeys? Psk { get; }

    /// <summary>Whether somebody may use it who proves nothing: neither a key, nor a certificate, nor anything that <see cref="Authentication"/> asks for.</summary>
    /// <param name="allowAnonymous">Whether clients are welcome that no source knows.</param>
    public bool TakesAnybody(bool allowAnonymous) => (allowAnonymous || !Options.Authentication) && Psk is null && !(Options.IsSecure && Options.Tls.Verify == "required");

    /// <summary>The peer with what is known of its certificate, a part of which may become its user name and client identifier.</summary>
    /// <param name="part">What `cn`, `dn` and so on stand for; null if the peer has none.</param>
    public PeerInfo Identify(PeerInfo peer, Func<string, string?> part) => peer with
    {
        UserName = Options.IdentityAsUserName is { } user ? part(user) : null,
        ClientId = Options.IdentityAsClientId is { } client ? part(client) : null,
    };
}
