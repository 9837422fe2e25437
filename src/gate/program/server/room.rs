//! Memory for the bodies of requests: taken as they arrive, and held until they are answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use encl::gate::answering::Place;

/// Bytes of all bodies that are being read or answered, and of those from one place.
const BYTES_MAX: usize = 64 << 20;
const BYTES_OF_PLACE: usize = 8 << 20;

/// All the room there is.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: Mutex<HashMap<Place, usize>>,
}

/// Room that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    room: Arc<Room>,
    place: Place,
    bytes: usize,
}

impl Room {
    /// No room yet, for a body that has not begun.
    pub(super) fn enter(self: &Arc<Self>, place: Place) -> Taken {
        Taken {
            room: Arc::clone(self),
            place,
            bytes: 0,
        }
    }
}

impl Taken {
    /// Takes room for more bytes, if there is any.
    pub(super) fn more(&mut self, bytes: usize) -> bool {
        let mut taken = self
            .room
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(&self.place).copied().unwrap_or(0);
        if all + bytes > BYTES_MAX || own + bytes > BYTES_OF_PLACE {
            return false;
        }
        taken.insert(self.place, own + bytes);
        self.bytes += bytes;
        true
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut taken = self
            .room
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.place).copied().unwrap_or(0);
        match left.saturating_sub(self.bytes) {
            0 => drop(taken.remove(&self.place)),
            left => drop(taken.insert(self.place, left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn place(number: u8) -> Place {
        Place::from(IpAddr::from([192, 0, 2, number]))
    }

    #[test]
    fn room_is_taken_as_bytes_arrive_and_given_back() {
        let room = Arc::new(Room::default());
        // Whoever sends nothing takes nothing.
        let silent: Vec<Taken> = (0..200).map(|number| room.enter(place(number))).collect();
        let mut one = room.enter(place(1));
        assert!(one.more(BYTES_OF_PLACE) && !one.more(1));
        let mut same = room.enter(place(1));
        assert!(!same.more(1), "of one place");
        let mut others: Vec<Taken> = (2..9).map(|number| room.enter(place(number))).collect();
        assert!(others.iter_mut().all(|other| other.more(BYTES_OF_PLACE)));
        let mut late = room.enter(place(9));
        assert!(!late.more(1), "of all");
        drop(one);
        assert!(late.more(BYTES_OF_PLACE) && !same.more(1));
        drop((others, late, silent));
        assert!(same.more(BYTES_OF_PLACE));
        drop(same);
        assert!(room.taken.lock().unwrap().is_empty());
    }
}
