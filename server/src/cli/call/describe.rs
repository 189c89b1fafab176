//! `usher call --describe`: methods and messages with their fields, and what the `.proto` files say of them.

use anyhow::bail;
use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    MethodDescriptor,
};

use crate::cli::client::WrongUsage;

/// Describes a method, a message or an enumeration; every method where nothing is named.
pub(super) fn describe(pool: &DescriptorPool, name: Option<&str>) -> anyhow::Result<()> {
    let Some(name) = name else {
        for service in pool.services() {
            for method in service.methods() {
                println!("{}/{}", service.full_name(), method.name());
                print_comment(&method.parent_file(), method.path(), 2);
            }
        }
        return Ok(());
    };
    if name.contains('/') {
        describe_method(&super::find(pool, name)?);
    } else if let Some(message) = pool.get_message_by_name(name) {
        describe_message(&message);
    } else if let Some(values) = pool.get_enum_by_name(name) {
        describe_enum(&values);
    } else {
        let what = "is no method, message or enumeration; `usher call` lists the methods";
        bail!(WrongUsage(format!("{name} {what}")));
    }
    Ok(())
}

fn describe_method(method: &MethodDescriptor) {
    println!("{}/{}", method.parent_service().full_name(), method.name());
    print_comment(&method.parent_file(), method.path(), 2);
    println!("\nRequest:");
    describe_message(&method.input());
    println!("\nResponse:");
    describe_message(&method.output());
}

fn describe_message(message: &MessageDescriptor) {
    println!("{}", message.full_name());
    print_comment(&message.parent_file(), message.path(), 2);
    for field in message.fields() {
        println!("  {}: {}", field.name(), type_of(&field));
        print_comment(&message.parent_file(), field.path(), 4);
    }
}

fn describe_enum(values: &EnumDescriptor) {
    println!("{}", values.full_name());
    print_comment(&values.parent_file(), values.path(), 2);
    for value in values.values() {
        println!("  {}", value.name());
        print_comment(&values.parent_file(), value.path(), 4);
    }
}

/// As JSON has it.
fn type_of(field: &FieldDescriptor) -> String {
    if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
        let (key, value) = (kind_name(&entry.map_entry_key_field()), kind_name(&entry.map_entry_value_field()));
        return format!("map of {key} to {value}");
    }
    let name = kind_name(field);
    match (field.cardinality(), field.containing_oneof()) {
        (Cardinality::Repeated, _) => format!("list of {name}"),
        (_, Some(group)) if group.fields().len() > 1 => format!("{name}, one of {}", group.name()),
        (_, Some(_)) => format!("{name}, may be absent"),
        _ => name,
    }
}

fn kind_name(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(values) => values.full_name().to_owned(),
        Kind::Bytes => "bytes (base64, or a UUID)".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// What stands above it in its file, if the server sends that.
fn print_comment(file: &FileDescriptor, path: &[i32], indent: usize) {
    let Some(source) = &file.file_descriptor_proto().source_code_info else { return };
    let found = source.location.iter().find(|location| location.path == path);
    let comment = found.and_then(|location| location.leading_comments.as_deref()).unwrap_or_default();
    for line in comment.lines() {
        println!("{:indent$}{}", "", line.trim());
    }
}
