using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Interfaces.Plugins;

/// <summary>A client has gone.</summary>
/// <param name="Reason">EMQ X's words: `normal`, `keepalive_timeout`, `tcp_closed`, `takeovered`, `discarded`, or why it was disconnected.</param>
public sealed record ClientDisconnected(ClientContext Client, string Reason);

/// <summary>Something has happened to a session.</summary>
/// <param name="Client">Its client; null where it is not connected any more.</param>
/// <param name="Reason">Why it ended; null otherwise.</param>
public sealed record SessionEvent(string ClientId, ClientContext? Client = null, string? Reason = null);

/// <summary>A session has a subscription.</summary>
/// <param name="Filter">Share prefix and mountpoint included.</param>
/// <param name="IsNew">False: it has taken the place of one with the same filter.</param>
public sealed record SessionSubscribed(ClientContext Client, string Filter, SubscriptionOptions Options, bool IsNew);

/// <summary>A session has a subscription no longer.</summary>
/// <param name="Filter">Share prefix and mountpoint included.</param>
public sealed record SessionUnsubscribed(ClientContext Client, string Filter);

/// <summary>A client has acknowledged a message: with PUBACK, or PUBREC.</summary>
public sealed record MessageAcked(ClientContext Client, ApplicationMessage Message);

/// <summary>A message has been routed to nobody.</summary>
/// <param name="Reason">`no_subscribers`, or `denied` by a callback.</param>
public sealed record MessageDropped(ApplicationMessage Message, string Reason);

/// <summary>One subscriber does not get a message.</summary>
/// <param name="Reason">`queue_full`, `qos0_msg`, `expired`, `too_large`.</param>
public sealed record DeliveryDropped(string ClientId, ApplicationMessage Message, string Reason);
